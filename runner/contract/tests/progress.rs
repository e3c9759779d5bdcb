//! The JSON of `/status`: its names are a contract, its size is bounded.
use automl_contract::progress::{Best, MAX_GENE_BYTES, Phase, Progress};
use serde_json::json;

fn progress(best: Option<Best>) -> Progress {
    Progress {
        run: "digits".to_owned(),
        island: 2,
        phase: Phase::Searching,
        generation: 7,
        evaluations: 400,
        budget: 2000,
        best,
        cache_hits: 31,
        archive_genes: 5,
        checkpointed: Some(1_700_000_000),
        updated: 1_700_000_001,
        message: None,
    }
}

#[test]
fn the_names_are_the_contract() {
    let whole = progress(Some(Best::new(0.5, "mean(x)", "ab".repeat(32), 6)));
    let expected = json!({
        "run": "digits", "island": 2, "phase": "searching", "generation": 7, "evaluations": 400, "budget": 2000,
        "best": { "fitness": 0.5, "gene": "mean(x)", "sha256": "ab".repeat(32), "generation": 6 },
        "cacheHits": 31, "archiveGenes": 5, "checkpointed": 1_700_000_000, "updated": 1_700_000_001,
    });
    assert_eq!(serde_json::to_value(&whole).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Progress>(expected).unwrap(), whole);
}

#[test]
fn a_long_gene_is_named_and_not_carried() {
    let fits = Best::new(0.5, &"x".repeat(MAX_GENE_BYTES), "ab".repeat(32), 6);
    assert_eq!(fits.gene.as_ref().map(String::len), Some(MAX_GENE_BYTES));
    let long = Best::new(0.5, &"x".repeat(MAX_GENE_BYTES + 1), "ab".repeat(32), 6);
    assert_eq!((long.gene.as_deref(), long.sha256.len()), (None, 64));
    let size = serde_json::to_vec(&progress(Some(fits))).unwrap().len();
    assert!(size < 4096, "{size} bytes");
}
