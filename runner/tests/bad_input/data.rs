//! Data sets: files that are absent, cut off, lying or of the wrong kind.
use crate::Case;
use crate::manifest::{changed, refused};

/// A MinerRun of a data set in files.
fn of(source: &str, path: &str) -> String {
    changed("      source: synthetic\n      limit: 200\n", &format!("      source: {source}\n      path: {path}\n"))
}

/// An IDX file of unsigned bytes.
fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let sizes_bytes = sizes.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, sizes.len() as u8].into_iter().chain(sizes_bytes).chain(data.iter().copied()).collect()
}

/// A `.npy` file.
fn npy(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// `count` examples of two features.
fn features(count: usize) -> Vec<u8> {
    (0..2 * count).flat_map(|index| (index as f32).to_le_bytes()).collect()
}

/// `count` classes, 0 and 1.
fn classes(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 2) as u8).collect()
}

pub(crate) fn cases() -> Vec<Case> {
    [idx_files(), npy_files(), archives()].into_iter().flatten().collect()
}

fn idx_files() -> Vec<Case> {
    const IMAGES: &str = "d/train-images-idx3-ubyte";
    const LABELS: &str = "d/train-labels-idx1-ubyte";
    let idx_case = |name: &str, images: Vec<u8>, labels: Vec<u8>, says: &[&str]| {
        refused(name, of("idx", "d"), says).file(IMAGES, images).file(LABELS, labels)
    };
    let (pixels, labels) = (idx(&[200, 2, 2], &[7; 800]), idx(&[200], &classes(200)));
    vec![
        refused("no data folder", of("idx", "nowhere"), &["nowhere", "No such file", "dataset.path"]),
        refused("an empty data folder", of("idx", "d"), &["d: has no train-images-idx3-ubyte", "check dataset.path"])
            .file("d/other", ""),
        refused("images without labels", of("idx", "d"), &["train-images-idx3-ubyte", "labels"])
            .file(IMAGES, pixels.clone()),
        refused(
            "no Fashion-MNIST",
            of("fashion-mnist", "nowhere"),
            &["nowhere", "apt-get install dataset-fashion-mnist"],
        ),
        idx_case(
            "cut off IDX",
            pixels[..500].to_vec(),
            labels.clone(),
            &["train-images", "promises 800 bytes", "484 follow"],
        ),
        idx_case(
            "cut off IDX header",
            vec![0, 0, 8, 3, 0],
            labels.clone(),
            &["train-images", "ends inside its header"],
        ),
        idx_case(
            "absurd IDX sizes",
            idx(&[u32::MAX; 3], &[1]),
            labels.clone(),
            &["train-images", "promises", "1 follow"],
        ),
        idx_case(
            "IDX of floats",
            [&[0, 0, 0x0d, 1][..], &[0; 8]].concat(),
            labels.clone(),
            &["0x0d", "unsigned bytes"],
        ),
        idx_case("fewer labels than images", pixels.clone(), idx(&[199], &classes(199)), &["200", "199"]),
        idx_case("no IDX at all", b"P5 2 2 255".to_vec(), labels.clone(), &["train-images", "not an IDX file"]),
        refused("damaged gzip", of("idx", "d"), &["train-labels-idx1-ubyte.gz", "damaged"])
            .file(IMAGES, pixels)
            .file("d/train-labels-idx1-ubyte.gz", b"\x1f\x8b\x08\x00nonsense"),
    ]
}

fn npy_files() -> Vec<Case> {
    let npy_case = |name: &str, x: Vec<u8>, y: Vec<u8>, says: &[&str]| {
        refused(name, of("npy", "d"), says).file("d/x.npy", x).file("d/y.npy", y)
    };
    let (x, y) = (npy("<f4", "(200, 2)", &features(200)), npy("|u1", "(200,)", &classes(200)));
    let halves: Vec<u8> = (0..200).flat_map(|index| (index as f32 / 2.0).to_le_bytes()).collect();
    vec![
        npy_case(
            "complex numbers",
            npy("<c8", "(200, 2)", &[0; 3200]),
            y.clone(),
            &["x.npy", "c8", "floats of 32 or 64"],
        ),
        npy_case("text", npy("<U4", "(200, 2)", &[0; 6400]), y.clone(), &["x.npy", "U4"]),
        npy_case(
            "one column",
            npy("<f4", "(400,)", &features(200)),
            y.clone(),
            &["x.npy", "[400]", "examples × features"],
        ),
        npy_case("cut off npy", x[..x.len() - 1].to_vec(), y.clone(), &["x.npy", "cut off"]),
        npy_case(
            "absurd npy shape",
            npy("<f4", "(18446744073709551615, 2)", &[0; 8]),
            y.clone(),
            &["x.npy", "8 bytes of data"],
        ),
        npy_case(
            "fewer classes than examples",
            x.clone(),
            npy("|u1", "(199,)", &classes(199)),
            &["y.npy", "[199]", "200 examples"],
        ),
        npy_case(
            "a class that is not whole",
            x.clone(),
            npy("<f4", "(200,)", &halves),
            &["y.npy", "class", "whole numbers"],
        ),
        npy_case(
            "NaN among the features",
            npy("<f4", "(200, 2)", &[0xff; 1600]),
            y.clone(),
            &["x.npy", "example 0", "finite"],
        ),
        npy_case(
            "fewer examples than needed",
            npy("<f4", "(50, 2)", &features(50)),
            npy("|u1", "(50,)", &classes(50)),
            &["50 examples", "at least 100"],
        ),
        npy_case("one class", x, npy("|u1", "(200,)", &[0; 200]), &["fewer than two classes"]),
    ]
}

fn archives() -> Vec<Case> {
    // An archive with nothing in it is its end record alone.
    let empty_zip = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    vec![
        refused("npz without arrays", of("npz", "d.npz"), &["d.npz", "has no array x"]).file("d.npz", empty_zip),
        refused("npz that is none", of("npz", "d.npz"), &["d.npz", "no usable .npz"]).file("d.npz", "PK"),
        refused("a folder for an npz", of("npz", "d"), &["d", ".npz file with the arrays x and y"]).file("d/x.npy", ""),
    ]
}
