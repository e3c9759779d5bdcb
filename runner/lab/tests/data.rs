//! Data sets from files, good and bad, through the public face.
use std::fs;
use std::io::Write;
use std::path::Path;

use automl_contract::spec::{DataSource, DatasetSpec, EvaluationSpec};
use automl_lab::{About, Lab};
use flate2::{Compression, write::GzEncoder};
use npyz::WriterBuilder as _;
use tempfile::TempDir;

const ROWS: usize = 200;
const X: &str = "train-images-idx3-ubyte";
const Y: &str = "train-labels-idx1-ubyte";

fn open(source: DataSource, path: Option<&Path>) -> Result<About, String> {
    let path = path.map(|path| path.to_str().unwrap().to_owned());
    let dataset = DatasetSpec { source, path, limit: None };
    let spec = EvaluationSpec { dataset, ..EvaluationSpec::default() };
    Lab::open(&spec.resolved(), 0).map(|lab| lab.about().clone()).map_err(|error| error.to_string())
}

/// Files by name.
type Files = Vec<(&'static str, Vec<u8>)>;

/// An IDX file of unsigned bytes.
fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn images(count: usize) -> Vec<u8> {
    let pixels: Vec<u8> = (0..count * 6).map(|index| (index * 37 % 251) as u8).collect();
    idx(&[count as u32, 3, 2], &pixels)
}

fn labels(count: usize) -> Vec<u8> {
    idx(&[count as u32], &(0..count).map(|index| (index % 4) as u8).collect::<Vec<_>>())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn npy<T: npyz::AutoSerialize>(shape: &[u64], data: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
    writer.extend(data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn npy_x() -> Vec<u8> {
    npy(&[ROWS as u64, 3], (0..3 * ROWS).map(|index| (index * 7 % 31) as f32))
}

fn npy_y() -> Vec<u8> {
    npy(&[ROWS as u64], (0..ROWS).map(|index| (index % 3) as i64))
}

fn npz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::FileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn idx_files_load_plain_and_packed_with_and_without_a_test_part() {
    let names =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
    let contents = [images(ROWS), labels(ROWS), images(50), labels(50)];
    for packed in [false, true] {
        for count in [2, 4] {
            let folder = TempDir::new().unwrap();
            for (name, bytes) in names.iter().zip(&contents).take(count) {
                let (name, bytes) =
                    if packed { (format!("{name}.gz"), gzip(bytes)) } else { ((*name).to_owned(), bytes.clone()) };
                fs::write(folder.path().join(name), bytes).unwrap();
            }
            for source in [DataSource::Idx, DataSource::FashionMnist] {
                let about = open(source, Some(folder.path())).unwrap();
                assert_eq!((about.features, about.classes), (6, 4));
                let sizes = [about.sizes.train, about.sizes.search, about.sizes.select, about.sizes.final_];
                assert_eq!(sizes, if count == 4 { [140, 30, 30, 50] } else { [100, 30, 30, 40] });
            }
        }
    }
}

#[test]
fn numpy_files_load_in_every_type() {
    let floats = || (0..3 * ROWS).map(|index| (index % 17) as f64 / 4.0);
    let whole = || (0..3 * ROWS).map(|index| (index % 100) as u8);
    let shape = [ROWS as u64, 3];
    let classes = || (0..ROWS).map(|index| (index % 3) as u8);
    let rows = [ROWS as u64];
    let xs = [
        npy(&shape, floats()),
        npy(&shape, floats().map(|value| value as f32)),
        npy(&shape, whole()),
        npy(&shape, whole().map(i8::try_from).map(Result::unwrap)),
        npy(&shape, whole().map(u16::from)),
        npy(&shape, whole().map(i32::from)),
        npy(&[ROWS as u64, 3, 1], whole().map(u64::from)),
    ];
    for x in xs {
        let folder = folder(&[("x.npy", x), ("y.npy", npy_y())]);
        assert_eq!(open(DataSource::Npy, Some(folder.path())).unwrap().features, 3);
    }
    let ys =
        [npy(&rows, classes()), npy(&rows, classes().map(f32::from)), npy(&[ROWS as u64, 1], classes().map(i16::from))];
    for y in ys {
        let archive = folder(&[("data.npz", npz(&[("x.npy", npy_x()), ("y.npy", y)]))]);
        let about = open(DataSource::Npz, Some(&archive.path().join("data.npz"))).unwrap();
        assert_eq!((about.classes, about.sizes.train), (3, 100));
    }
}

#[test]
fn broken_idx_files_are_refused_with_file_and_advice() {
    let cut = |mut bytes: Vec<u8>, left: usize| {
        bytes.truncate(left);
        bytes
    };
    let changed = |mut bytes: Vec<u8>, at: usize, byte: u8| {
        bytes[at] = byte;
        bytes
    };
    let zeros = idx(&[200], &[0; 200]);
    let gap = |count: usize| idx(&[count as u32], &vec![1; count]);
    let cases: Vec<(Files, &[&str])> = vec![
        (vec![], &["train-images-idx3-ubyte", "dataset.path"]),
        (vec![(X, images(ROWS))], &[X, "labels"]),
        (vec![(Y, labels(ROWS))], &[Y, "images"]),
        (vec![(X, vec![]), (Y, labels(ROWS))], &[X, "not an IDX file"]),
        (vec![(X, b"PNG and so on".to_vec()), (Y, labels(ROWS))], &[X, "not an IDX file"]),
        (vec![(X, changed(images(ROWS), 2, 0x0d)), (Y, labels(ROWS))], &[X, "0x0d", "unsigned bytes"]),
        (vec![(X, changed(images(ROWS), 3, 200)), (Y, labels(ROWS))], &[X, "200 dimensions"]),
        (vec![(X, cut(images(ROWS), 9)), (Y, labels(ROWS))], &[X, "inside its header"]),
        (vec![(X, cut(images(ROWS), 500)), (Y, labels(ROWS))], &[X, "promises 1200 bytes, 484 follow"]),
        (vec![(X, [images(ROWS), vec![0; 5]].concat()), (Y, labels(ROWS))], &[X, "1205 follow"]),
        (
            vec![(X, idx(&[u32::MAX, u32::MAX, u32::MAX], &[])), (Y, labels(ROWS))],
            &[X, "promises more bytes than any file"],
        ),
        (vec![(X, idx(&[u32::MAX, 28, 28], &[1; 99])), (Y, labels(ROWS))], &[X, "99 follow"]),
        (vec![(X, idx(&[200, 0, 28], &[])), (Y, labels(ROWS))], &[X, "without pixels"]),
        (vec![(X, images(ROWS)), (Y, labels(ROWS - 1))], &["200 images", "199 labels"]),
        (vec![(X, images(ROWS)), (Y, images(ROWS))], &[Y, "3 dimensions"]),
        (vec![(X, images(ROWS)), (Y, zeros)], &["two classes"]),
        (vec![(X, images(60)), (Y, labels(60))], &["60 examples", "at least 100"]),
        (
            vec![("train-images-idx3-ubyte.gz", b"not gzip".to_vec()), (Y, labels(ROWS))],
            &["train-images-idx3-ubyte.gz"],
        ),
        (vec![("train-images-idx3-ubyte.gz", cut(gzip(&images(ROWS)), 60)), (Y, labels(ROWS))], &["damaged"]),
        (
            vec![(X, images(ROWS)), (Y, labels(ROWS)), ("t10k-images-idx3-ubyte", images(50))],
            &["t10k-images-idx3-ubyte", "labels"],
        ),
        (
            vec![
                (X, images(ROWS)),
                (Y, labels(ROWS)),
                ("t10k-images-idx3-ubyte", idx(&[50, 5], &[3; 250])),
                ("t10k-labels-idx1-ubyte", labels(50)),
            ],
            &["6 pixels", "test images 5"],
        ),
        (
            vec![
                (X, images(ROWS)),
                (Y, labels(ROWS)),
                ("t10k-images-idx3-ubyte", images(50)),
                ("t10k-labels-idx1-ubyte", idx(&[50], &[9; 50])),
            ],
            &["class 9", "test"],
        ),
        (
            vec![
                (X, images(ROWS)),
                (Y, labels(ROWS)),
                ("t10k-images-idx3-ubyte", images(7)),
                ("t10k-labels-idx1-ubyte", gap(7)),
            ],
            &["7 test examples"],
        ),
    ];
    for (files, words) in cases {
        let folder = folder(&files);
        let message = open(DataSource::Idx, Some(folder.path())).expect_err(words[0]);
        assert!(words.iter().all(|word| message.contains(word)), "{words:?}: {message}");
        assert!(message.len() < 600, "{message}");
    }
}

#[test]
fn broken_numpy_files_are_refused_with_file_and_advice() {
    let header = |text: &str| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    };
    let described = |descr: &str, shape: &str, order: &str| {
        header(&format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"))
    };
    let mut nested = b"\x93NUMPY\x02\x00\xff\xff\xff\x7f".to_vec();
    nested.extend(vec![b'('; 100_000]);
    let rows = [ROWS as u64];
    let many = |class: f64| npy(&rows, (0..ROWS).map(|index| if index == 123 { class } else { (index % 2) as f64 }));
    let cases: Vec<(Vec<u8>, Vec<u8>, &[&str])> = vec![
        (vec![], npy_y(), &["x.npy", "not a .npy"]),
        (b"0.1,0.2\n".to_vec(), npy_y(), &["x.npy", "not a .npy"]),
        (nested, npy_y(), &["x.npy", "header has 2147483647 bytes"]),
        (header(&"(".repeat(1000)), npy_y(), &["x.npy", "not a plain array"]),
        (header("{'descr': '<f4'}"), npy_y(), &["x.npy", "header"]),
        ([header("{'descr': '<f4(1)', 'shape': 200}"), vec![0; 800]].concat(), npy_y(), &["x.npy", "damaged header"]),
        (described("'<f4'", "(200, 3)", "False"), npy_y(), &["x.npy", "[200, 3]", "only 0 bytes"]),
        (described("'<f4'", "(18446744073709551615, 3)", "False"), npy_y(), &["x.npy", "cut off"]),
        (described("'<f4'", "(99999999999999999999999, 3)", "False"), npy_y(), &["x.npy", "no usable shape"]),
        (described("'<f4'", "(-3, 3)", "False"), npy_y(), &["x.npy", "no usable shape"]),
        ([described("'<f8'", "(200, 3)", "False"), vec![0; 4799]].concat(), npy_y(), &["x.npy", "only 4799 bytes"]),
        ([described("'|O'", "(200, 3)", "False"), vec![0; 2400]].concat(), npy_y(), &["x.npy", "'|O'"]),
        (
            [described("[('a', '<f4'), ('b', '<i8')]", "(200,)", "False"), vec![0; 2400]].concat(),
            npy_y(),
            &["x.npy", "not a plain array"],
        ),
        ([described("'<c8'", "(200, 1)", "False"), vec![0; 1600]].concat(), npy_y(), &["x.npy", "<c8"]),
        ([described("'<f4'", "(200, 3)", "True"), vec![0; 2400]].concat(), npy_y(), &["x.npy", "ascontiguousarray"]),
        ([described("'<f4'", "()", "False"), vec![0; 4]].concat(), npy_y(), &["x.npy", "examples × features"]),
        (npy(&[0, 3], Vec::<f32>::new()), npy(&[0], Vec::<i64>::new()), &["x.npy", "[0, 3]", "empty"]),
        (npy(&[200], (0..200).map(|_| 1.0_f32)), npy_y(), &["x.npy", "[200]", "examples × features"]),
        (npy(&[200, 0], Vec::<f32>::new()), npy_y(), &["x.npy", "[200, 0]"]),
        (
            npy(&[200, 3], (0..600).map(|at| if at == 301 { f32::NAN } else { 0.5 })),
            npy_y(),
            &["x.npy", "example 100", "finite"],
        ),
        (npy(&[200, 3], (0..600).map(|_| 1e300)), npy_y(), &["x.npy", "example 0", "finite"]),
        (npy_x(), npy(&[199], (0..199).map(|at| at % 2)), &["y.npy", "[199]", "200 examples"]),
        (npy_x(), npy(&[200, 2], (0..400).map(|at| at % 2)), &["y.npy", "[200, 2]"]),
        (npy_x(), many(-1.0), &["y.npy", "example 123", "class -1"]),
        (npy_x(), many(0.5), &["y.npy", "class 0.5", "whole numbers"]),
        (npy_x(), many(f64::NAN), &["y.npy", "class NaN"]),
        (npy_x(), many(4e9), &["y.npy", "class 4000000000", "999"]),
        (npy_x(), npy(&rows, (0..ROWS).map(|_| 1_u8)), &["two classes"]),
    ];
    for (x, y, words) in cases {
        let folder =
            folder(&[("x.npy", x.clone()), ("y.npy", y.clone()), ("data.npz", npz(&[("x.npy", x), ("y.npy", y)]))]);
        for (source, path) in
            [(DataSource::Npy, folder.path().to_owned()), (DataSource::Npz, folder.path().join("data.npz"))]
        {
            let message = open(source, Some(&path)).expect_err(words[0]);
            assert!(words.iter().all(|word| message.contains(word)), "{words:?}: {message}");
            assert!(message.len() < 600, "{message}");
        }
    }
}

#[test]
fn broken_archives_and_missing_files_are_refused() {
    let whole = npz(&[("x.npy", npy_x()), ("y.npy", npy_y())]);
    let folder = folder(&[
        ("cut.npz", whole[..whole.len() / 2].to_vec()),
        ("text.npz", b"x,y\n1,2\n".to_vec()),
        ("no-y.npz", npz(&[("x.npy", npy_x())])),
    ]);
    for (name, word) in [("cut.npz", "no usable .npz"), ("text.npz", "no usable .npz"), ("no-y.npz", "no array y")] {
        let message = open(DataSource::Npz, Some(&folder.path().join(name))).expect_err(name);
        assert!(message.contains(word) && message.contains(name), "{message}");
    }
    let nowhere = folder.path().join("nowhere");
    for (source, word) in [
        (DataSource::Idx, "dataset.path"),
        (DataSource::FashionMnist, "apt-get install dataset-fashion-mnist"),
        (DataSource::Npy, "x.npy"),
        (DataSource::Npz, "nowhere"),
    ] {
        let message = open(source, Some(&nowhere)).expect_err(word);
        assert!(message.contains(word) && message.contains("nowhere"), "{message}");
    }
}

/// A CIFAR file: records of so many label bytes, the last being the class.
fn cifar(count: usize, labels: usize) -> Vec<u8> {
    let record = |index: usize| {
        let labels = vec![(index % 4) as u8; labels];
        let pixels = (0..3072).map(move |pixel| (pixel * 31 + index * 7) as u8);
        labels.into_iter().chain(pixels).collect::<Vec<_>>()
    };
    (0..count).flat_map(record).collect()
}

#[test]
fn cifar_is_read_in_both_its_forms() {
    let ten = folder(&[
        ("data_batch_1.bin", cifar(120, 1)),
        ("data_batch_2.bin.gz", gzip(&cifar(80, 1))),
        ("test_batch.bin", cifar(40, 1)),
    ]);
    let about = open(DataSource::Cifar, Some(ten.path())).unwrap();
    assert_eq!((about.dataset.as_str(), about.features, about.classes), ("cifar-10", 3072, 4));
    assert_eq!((about.sizes.train, about.sizes.search, about.sizes.final_), (140, 30, 40));
    let hundred = folder(&[("train.bin", cifar(200, 2))]);
    let about = open(DataSource::Cifar, Some(hundred.path())).unwrap();
    assert_eq!((about.dataset.as_str(), about.sizes.train, about.sizes.final_), ("cifar-100", 100, 40));
}

#[test]
fn cifar_files_that_are_none_are_refused() {
    let told = |files: &[(&str, Vec<u8>)]| {
        let folder = folder(files);
        open(DataSource::Cifar, Some(folder.path())).unwrap_err().replace(folder.path().to_str().unwrap(), "F")
    };
    let advice = "unpack the binary version of CIFAR-10 or CIFAR-100 there, or check dataset.path";
    assert_eq!(told(&[]), format!("F: has neither data_batch_1.bin nor train.bin; {advice}"));
    assert_eq!(
        told(&[("data_batch_1.bin", cifar(3, 1)[1..].to_vec())]),
        "F/data_batch_1.bin: holds 9218 bytes, which is no multiple of a record's 3073; the file is cut off or another one, get it again"
    );
    assert_eq!(
        told(&[("data_batch_1.bin", cifar(120, 1)), ("train.bin", cifar(120, 2))]),
        "F/train.bin: lies beside F/data_batch_1.bin; keep CIFAR-10 and CIFAR-100 in two folders"
    );
}

#[test]
fn a_path_is_needed_or_refused_by_source() {
    for source in [DataSource::Idx, DataSource::Npy, DataSource::Npz] {
        assert!(open(source, None).unwrap_err().starts_with("dataset.path: is missing"));
    }
    for source in [DataSource::Digits, DataSource::Synthetic] {
        assert!(open(source, Some(Path::new("/somewhere"))).unwrap_err().contains("built in"));
    }
}
