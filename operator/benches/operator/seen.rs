//! What the audit log has of somebody since a moment.
use std::collections::BTreeMap;

use automl_testbed::{ControlPlane, Event};

use crate::common::Person;

/// Somebody, and how much of them there was at that moment.
pub(crate) struct Seen<'a> {
    plane: &'a ControlPlane,
    user: &'a str,
    before: usize,
}

impl<'a> Seen<'a> {
    pub(crate) fn now(plane: &'a ControlPlane, user: &'a str) -> Self {
        let mut seen = Self { plane, user, before: 0 };
        seen.before = seen.events().len();
        seen
    }

    /// What they have asked since then.
    pub(crate) fn events(&self) -> Vec<Event> {
        Person::audit(self.plane, self.user).split_off(self.before)
    }

    /// How much they have written since then; of what kinds is shown.
    pub(crate) fn writes(&self) -> f64 {
        let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
        for event in self.events().iter().filter(|event| event.is_write()) {
            *kinds.entry(event.kind()).or_default() += 1;
        }
        eprintln!("writes of {}: {kinds:#?}", self.user);
        kinds.values().sum::<u32>().into()
    }
}
