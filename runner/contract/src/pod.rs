//! How the operator starts a runner in a pod, and how they talk: paths, variables, port and pages.
//!
//! A pod needs no rights and no key: its spec is a mounted file, its checkpoints are a folder, and what it has found is
//! fetched from its pages.

/// The name of the container and of its image's program.
pub const CONTAINER: &str = "runner";
/// The port that pages and metrics are served on.
pub const PORT: u16 = 9090;
/// The port's name in pods and Services.
pub const PORT_NAME: &str = "metrics";
/// The folder that the spec is mounted in.
pub const SPEC_FOLDER: &str = "/etc/automl";
/// The spec's file in that folder: a `MinerRun` with `search` and `evaluation`.
pub const SPEC_FILE: &str = "minerrun.yaml";
/// The folder that holds checkpoints; one below it for each spec that was searched with.
pub const CHECKPOINTS: &str = "/checkpoints";
/// The folder below which data of `spec.podTemplate.volumes` is mounted.
pub const DATA: &str = "/data";
/// The variable that holds the island's index.
pub const ISLAND: &str = "AUTOML_ISLAND";
/// The variable that lists islands which have finished already, as a Job's `completedIndexes` does: `0-2,5`.
pub const FINISHED: &str = "AUTOML_FINISHED";

/// The page with [`crate::progress::Progress`].
pub const STATUS_PAGE: &str = "/status";
/// The page with the archive, one [`crate::archive::Found`] for each line.
pub const ARCHIVE_PAGE: &str = "/archive";
/// A POST here says that the results of a finished island are kept elsewhere, so that its process may end.
pub const RELEASE_PAGE: &str = "/release";
/// Is the process alive.
pub const HEALTH_PAGE: &str = "/healthz";
/// Does it search, or has it finished.
pub const READY_PAGE: &str = "/readyz";
/// Prometheus' page.
pub const METRICS_PAGE: &str = "/metrics";

/// Whether a list of indexes such as `0-2,5` has this one. What is not a list has none.
pub fn listed(list: &str, index: u32) -> bool {
    ranges(list).any(|(first, last)| (first..=last).contains(&index))
}

/// How many indexes a list has.
pub fn count(list: &str) -> u32 {
    ranges(list).map(|(first, last)| last - first + 1).sum()
}

/// The indexes of two lists as one, in its shortest form.
pub fn union(one: &str, other: &str) -> String {
    let mut all: Vec<(u32, u32)> = ranges(one).chain(ranges(other)).collect();
    all.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, last) in all {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    let text = |(first, last): (u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    joined.into_iter().map(text).collect::<Vec<_>>().join(",")
}

fn ranges(text: &str) -> impl Iterator<Item = (u32, u32)> {
    text.split(',').filter_map(|part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (low <= high).then_some((low, high))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_is_the_set_it_was_made_of(one: std::collections::BTreeSet<u8>, other: std::collections::BTreeSet<u8>) {
            let list = |set: &std::collections::BTreeSet<u8>| {
                set.iter().fold(String::new(), |list, index| union(&list, &index.to_string()))
            };
            let joined = union(&list(&one), &list(&other));
            let both: std::collections::BTreeSet<u8> = one.union(&other).copied().collect();
            prop_assert_eq!(count(&joined), both.len() as u32);
            for index in 0..=255 {
                prop_assert_eq!(listed(&joined, index.into()), both.contains(&index));
            }
            prop_assert_eq!(&joined, &list(&both));
        }
    }

    #[test]
    fn what_is_no_list_lists_nothing() {
        for text in ["", "x", "3-1", "-", "1-2-3", "99999999999"] {
            assert_eq!((count(text), listed(text, 1)), (0, false), "{text}");
        }
        assert_eq!(union("0-2,5", "3"), "0-3,5");
    }
}
