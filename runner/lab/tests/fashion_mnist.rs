//! A real data set of the size that people mine on: Fashion-MNIST as Debian packs it, read whole and learned a little.
#[path = "../../tests/common/skip.rs"]
mod skip;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use automl_contract::spec::{DataSource, DatasetSpec, EvaluationSpec};
use automl_lab::{Lab, Stage};

#[test]
fn fashion_mnist_is_read_whole_and_learned() {
    let path = std::env::var("AUTOML_FASHION_MNIST").ok();
    if path.is_none() && !Path::new("/usr/share/datasets/fashion-mnist").exists() {
        return skip::skip("no Fashion-MNIST here; `make test` fetches it, or: apt-get install dataset-fashion-mnist");
    }
    let dataset = DatasetSpec { source: DataSource::FashionMnist, path, limit: None };
    let spec = EvaluationSpec { dataset, ..EvaluationSpec::default() };
    let lab = Lab::open(&spec.resolved(), 0).unwrap();
    let about = lab.about();
    let sizes = [about.sizes.train, about.sizes.search, about.sizes.select, about.sizes.final_];
    assert_eq!((about.features, about.classes, sizes), (784, 10, [42_000, 9000, 9000, 10_000]));

    let gene = automl_genome::known_losses()[0].gene();
    let outcome = lab.worker().train(&gene, Stage::Final, 0, &AtomicBool::new(false)).unwrap();
    assert!(outcome.failure.is_none() && outcome.accuracy > 0.6, "{outcome:?}");
}
