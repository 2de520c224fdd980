//! The tar walker, whiteouts and links: any bytes as a layer, laid over itself. With an even first byte the checksums
//! of the headers are put right first.

use seareeve_image::{FileTree, LayerFiles};
use seareeve_model::ImagePath;

use crate::Target;
use crate::made::{self, Entry};

pub(super) const TARGET: Target = Target {
    name: "image_layer",
    run,
    longest: 8 << 10,
    seeds,
    words: &[
        "ustar\0",
        "ustar  \0",
        "././@LongLink",
        "./",
        "../",
        ".wh.",
        ".wh..wh..opq",
        "11 path=a\n",
        "linkpath=",
        "size=",
        "GNU.sparse.major=1",
        "GNU.sparse.name=",
        "GNU.sparse.realsize=",
    ],
};

fn run(input: &[u8]) {
    let Some((choice, tar)) = input.split_first() else {
        return;
    };
    let tar = match choice % 2 {
        0 => made::summed_tar(tar),
        _ => tar.to_vec(),
    };
    let all = |_: &ImagePath| true;
    let layer = LayerFiles::read(tar.as_slice(), &made::limits(), &all, "layer");
    let mut tree = FileTree::default();
    tree.apply(0, layer.clone(), &all);
    let paths: Vec<ImagePath> = tree.iter().map(|(path, _)| path.clone()).collect();
    tree.apply(1, layer, &all);
    for path in paths {
        // Every link loop must end, and a file that the upper layer has too must still be there.
        assert!(tree.get(&path).is_some());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut pax = tar::Builder::new(Vec::new());
    let records = [
        ("path", b"etc/os-release".as_slice()),
        ("mtime", b"1.5"),
        ("size", b"3"),
    ];
    pax.append_pax_extensions(records)
        .expect("a Vec takes any amount");
    let mut pax = pax.into_inner().expect("a Vec takes any amount");
    pax.truncate(1024);
    pax.extend(made::tar(&[("a", b"abc")]));
    let long = format!("{}/os-release", "a".repeat(150));
    let tars = [
        made::tar_of(&[
            Entry::File(b"etc/os-release", b"ID=debian\n"),
            Entry::File(b"etc/.wh.gone", b""),
            Entry::File(b"opt/.wh..wh..opq", b""),
            Entry::Link(b"lib", b"usr/lib"),
            Entry::Link(b"usr/lib", b"../lib"),
            Entry::File(b"lib/a", b"a"),
        ]),
        made::tar(&[(long.as_str(), b"x"), ("b", b"y")]),
        pax,
    ];
    tars.map(|tar| [&[0], tar.as_slice()].concat()).into()
}
