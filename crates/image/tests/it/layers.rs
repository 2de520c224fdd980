//! Layers over layers: whiteouts, opaque directories, replacements, links.

use seareeve_image::{FileTree, LayerFiles, Limits, Selector};
use seareeve_model::ImagePath;

use crate::support::Entry::{Dir, Fifo, File, HardLink, Symlink};
use crate::support::{Entry, listing, path, tar};

fn layer(entries: &[Entry<'_>]) -> LayerFiles {
    LayerFiles::read(
        tar(entries).as_slice(),
        &Limits::default(),
        &|_: &ImagePath| true,
        "layer",
    )
}

fn squash(layers: &[&[Entry<'_>]]) -> FileTree {
    let mut tree = FileTree::default();
    for (index, entries) in layers.iter().enumerate() {
        let layer = layer(entries);
        assert_eq!(layer.problems, [], "layer {index}");
        tree.apply(u32::try_from(index).unwrap(), layer, &|_: &ImagePath| false);
    }
    tree
}

const BASE: &[Entry<'static>] = &[
    Dir("a/"),
    File("a/one", b"1"),
    Dir("a/b/"),
    File("a/b/two", b"2"),
    File("a/b/c/three", b"3"),
    File("ab", b"4"),
    File("top", b"5"),
];

#[test]
fn upper_layers_hide_lower_ones_as_oci_says() {
    let cases: &[(&str, &[Entry<'_>], &[&str])] = &[
        (
            "nothing",
            &[],
            &[
                "a/b/c/three@0=3",
                "a/b/two@0=2",
                "a/one@0=1",
                "ab@0=4",
                "top@0=5",
            ],
        ),
        (
            "a whiteout removes a file and no neighbour",
            &[File("a/.wh.one", b"")],
            &["a/b/c/three@0=3", "a/b/two@0=2", "ab@0=4", "top@0=5"],
        ),
        (
            "a whiteout removes a subtree",
            &[File(".wh.a", b"")],
            &["ab@0=4", "top@0=5"],
        ),
        (
            "a whiteout of nothing removes nothing",
            &[
                File("x/.wh.absent", b""),
                File(".wh.to", b""),
                File("a/.wh.b.", b""),
            ],
            &[
                "a/b/c/three@0=3",
                "a/b/two@0=2",
                "a/one@0=1",
                "ab@0=4",
                "top@0=5",
            ],
        ),
        (
            "an opaque directory hides what is below, whatever the order",
            &[File("a/b/new", b"n"), File("a/b/.wh..wh..opq", b"")],
            &["a/b/new@1=n", "a/one@0=1", "ab@0=4", "top@0=5"],
        ),
        (
            "an opaque directory before its own files",
            &[File("a/.wh..wh..opq", b""), File("a/b/c/new", b"n")],
            &["a/b/c/new@1=n", "ab@0=4", "top@0=5"],
        ),
        (
            "nested opaque directories",
            &[
                File("a/b/.wh..wh..opq", b""),
                File("a/.wh..wh..opq", b""),
                File("a/b/x", b"x"),
            ],
            &["a/b/x@1=x", "ab@0=4", "top@0=5"],
        ),
        (
            "an opaque root",
            &[File("new", b"n"), File(".wh..wh..opq", b"")],
            &["new@1=n"],
        ),
        (
            "an opaque file is no directory: the file stays",
            &[File("top/.wh..wh..opq", b"")],
            &[
                "a/b/c/three@0=3",
                "a/b/two@0=2",
                "a/one@0=1",
                "ab@0=4",
                "top@0=5",
            ],
        ),
        (
            "a whiteout spares the same layer, whatever the order",
            &[
                File("a/one", b"new"),
                File("a/.wh.one", b""),
                File(".wh.top", b""),
                File("top", b"t"),
            ],
            &[
                "a/b/c/three@0=3",
                "a/b/two@0=2",
                "a/one@1=new",
                "ab@0=4",
                "top@1=t",
            ],
        ),
        (
            "a file replaces a directory",
            &[File("a", b"file")],
            &["a@1=file", "ab@0=4", "top@0=5"],
        ),
        (
            "a link replaces a directory",
            &[Symlink("a/b", "../elsewhere")],
            &["a/one@0=1", "ab@0=4", "top@0=5"],
        ),
        (
            "a pipe replaces a directory and a file",
            &[Fifo("a/b"), Fifo("top")],
            &["a/one@0=1", "ab@0=4"],
        ),
        (
            "a directory replaces a file and joins a directory",
            &[Dir("top/"), Dir("a/"), File("top/in", b"i")],
            &[
                "a/b/c/three@0=3",
                "a/b/two@0=2",
                "a/one@0=1",
                "ab@0=4",
                "top/in@1=i",
            ],
        ),
        (
            "bookkeeping of AUFS is nothing",
            &[
                File(".wh..wh.aufs", b""),
                Dir(".wh..wh.plnk/"),
                File(".wh..wh.orph", b""),
            ],
            &[
                "a/b/c/three@0=3",
                "a/b/two@0=2",
                "a/one@0=1",
                "ab@0=4",
                "top@0=5",
            ],
        ),
    ];
    for (name, upper, expected) in cases {
        assert_eq!(listing(&squash(&[BASE, upper])), *expected, "{name}");
    }
}

#[test]
fn what_was_removed_can_come_back() {
    let tree = squash(&[BASE, &[File(".wh.a", b"")], &[File("a/one", b"again")]]);
    assert_eq!(listing(&tree), ["a/one@2=again", "ab@0=4", "top@0=5"]);
}

#[test]
fn unwanted_entries_replace_directories_as_well() {
    let status = path("var/lib/dpkg/status");
    let wanted = |asked: &seareeve_model::ImagePath| *asked == status;
    let read = |entries: &[Entry<'_>]| {
        LayerFiles::read(
            tar(entries).as_slice(),
            &Limits::default(),
            &wanted,
            "layer",
        )
    };
    for (upper, left) in [
        (&[File("var/lib/dpkg", b"")], 0),
        (&[Symlink("var/lib", "/data")], 0),
        (&[File("var/lib/dpkg/statu", b"")], 1),
    ] {
        let mut tree = FileTree::default();
        tree.apply(
            0,
            read(&[File("var/lib/dpkg/status", b"x"), File("etc/x", b"")]),
            &|_: &ImagePath| false,
        );
        tree.apply(1, read(upper), &|_: &ImagePath| false);
        assert_eq!(tree.len(), left);
    }
}

#[test]
fn the_last_of_equal_names_counts() {
    let tree = squash(&[&[
        File("a", b"1"),
        Symlink("b", "a"),
        File("a", b"2"),
        File("b", b"3"),
    ]]);
    assert_eq!(listing(&tree), ["a@0=2", "b@0=3"]);
}

#[test]
fn links_are_followed_inside_the_tree() {
    let tree = squash(&[&[
        File("usr/lib/os-release", b"ID=debian"),
        Symlink("etc/os-release", "../usr/lib/os-release"),
        Symlink("lib", "usr/lib"),
        Symlink("absolute", "/lib/os-release"),
        Symlink("loop/a", "b"),
        Symlink("loop/b", "a"),
        Symlink("self", "self/self"),
        Symlink("out", "../../../usr/lib/os-release"),
        Symlink("up", "../usr/lib/os-release"),
        Symlink("dangling", "nowhere"),
    ]]);
    for name in [
        "usr/lib/os-release",
        "etc/os-release",
        "lib/os-release",
        "absolute",
        // There is nothing above the root but the root.
        "out",
        "up",
    ] {
        let (real, file) = tree.resolve(&path(name)).unwrap();
        assert_eq!(real, &path("usr/lib/os-release"), "{name}");
        assert_eq!(file.content, b"ID=debian");
    }
    for name in ["loop/a", "self", "dangling", "lib", "", "etc"] {
        assert_eq!(tree.get(&path(name)), None, "{name}");
    }
    assert_eq!(tree.iter().count(), 1);
}

#[test]
fn hard_links_share_what_was_kept() {
    let tree = squash(&[&[
        File("a", b"1"),
        HardLink("b", "a"),
        HardLink("c", "./b"),
        Symlink("s", "a"),
        HardLink("t", "s"),
    ]]);
    assert_eq!(listing(&tree), ["a@0=1", "b@0=1", "c@0=1"]);
    assert_eq!(tree.get(&path("t")).unwrap().content, b"1");
}

#[test]
fn hard_links_to_nothing_are_said() {
    let layer = layer(&[HardLink("a", "absent"), HardLink("b", "../../etc/passwd")]);
    let problems: Vec<String> = layer.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "a: it is a hard link to absent, which was not kept from this layer",
            "b: it is a hard link to outside the image, which was not kept from this layer",
        ]
    );
}

#[test]
fn names_that_leave_the_image_are_left_out_and_said() {
    let layer = layer(&[
        File("../../etc/passwd", b"x"),
        File("a/../../b", b"x"),
        File("..", b"x"),
        File("a/.wh...", b""),
        File("a/.wh..", b""),
        File("a/.wh.", b""),
        File("/etc/./passwd", b"absolute"),
    ]);
    assert_eq!(layer.problems.len(), 6);
    let mut tree = FileTree::default();
    tree.apply(0, layer, &|_: &ImagePath| false);
    assert_eq!(listing(&tree), ["etc/passwd@0=absolute"]);
}

struct StatusHasHistory;

impl Selector for StatusHasHistory {
    fn keeps(&self, _: &ImagePath) -> bool {
        true
    }

    fn keeps_history(&self, path: &ImagePath) -> bool {
        path.as_bytes() == b"status"
    }
}

#[test]
fn history_is_kept_where_asked_and_begins_anew_after_a_removal() {
    let layers: [&[Entry<'_>]; 5] = [
        &[File("status", b"0"), File("other", b"0")],
        &[File("status", b"1"), File("other", b"1")],
        &[File("status", b"2")],
        &[File(".wh.status", b"")],
        &[File("status", b"4")],
    ];
    let history = |upto: usize| {
        let mut tree = FileTree::default();
        for (index, entries) in layers.iter().take(upto).enumerate() {
            let index = u32::try_from(index).unwrap();
            tree.apply(index, layer(entries), &StatusHasHistory);
        }
        assert!(tree.history(&path("other")).is_empty());
        let lower = tree.history(&path("status")).iter();
        lower.map(|file| file.layer).collect::<Vec<_>>()
    };
    let lengths: Vec<Vec<u32>> = (1..=5).map(history).collect();
    assert_eq!(lengths, [vec![], vec![0], vec![0, 1], vec![], vec![]]);
}
