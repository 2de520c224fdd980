//! The tar walker and the whiteouts: any bytes as a layer, laid over itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seareeve_image::{FileTree, LayerFiles, Limits};
use seareeve_model::ImagePath;

fuzz_target!(|tar: &[u8]| {
    let limits = Limits {
        file_bytes: 1 << 20,
        kept_bytes: 4 << 20,
        ..Limits::default()
    };
    let layer = LayerFiles::read(tar, &limits, &|_: &ImagePath| true, "layer");
    let mut tree = FileTree::default();
    tree.apply(0, layer.clone(), &|_: &ImagePath| true);
    let paths: Vec<_> = tree.iter().map(|(path, _)| path.clone()).collect();
    tree.apply(1, layer, &|_: &ImagePath| true);
    for path in paths {
        // Every link loop must end, and a file that the upper layer has too must still be there.
        assert!(tree.get(&path).is_some());
    }
});
