//! The rules of a `Validator` alone, in the order of its schema.
use super::Rule;
use super::list::{certificates_once, named_once, no_idle_gpu, not_ours, value_or_secret};

/// What every `Validator` must meet beside the rules of the types that it shares.
pub const RULES: &[Rule] = &[
    named_once("spec"),
    not_ours("spec"),
    value_or_secret("spec"),
    certificates_once("spec"),
    no_idle_gpu("spec"),
    Rule {
        path: "spec.scoring",
        field: "cap",
        cel: "self.cap >= self.screen",
        message: "less than `screen`, the tasks that every new gene gets: raise it or lower `screen`",
    },
    Rule {
        path: "spec.copies",
        field: "near",
        cel: "self.near >= self.copy",
        message: "less than `copy`, and a copy is a near copy, too: raise it or lower `copy`",
    },
    Rule {
        path: "spec.payout",
        field: "",
        cel: "self.frontPercent + self.championPercent + self.poolPercent <= 100",
        message: "`frontPercent`, `championPercent` and `poolPercent` (50, 30 and 20 unless given) add up to more \
                  than 100: lower some; what is left to 100 is nobody's",
    },
];

/// What may not change once a `Validator` exists; `oldSelf` is the object before the change.
pub const TRANSITIONS: &[Rule] = &[
    Rule {
        path: "spec",
        field: "network",
        // The chain; over which nodes it is reached may change.
        cel: "has(self.network) == has(oldSelf.network) && (!has(self.network) || self.network.split('=')[0] == \
              oldSelf.network.split('=')[0])",
        message: "cannot be changed, as weights of one subnet are not another's; delete the validator and apply it anew",
    },
    Rule {
        path: "spec",
        field: "netuid",
        cel: "self.netuid == oldSelf.netuid",
        message: "cannot be changed, as weights of one subnet are not another's; delete the validator and apply it anew",
    },
    Rule {
        path: "spec",
        field: "hotkey",
        cel: "!has(oldSelf.hotkey) || (has(self.hotkey) && self.hotkey == oldSelf.hotkey)",
        message: "cannot be changed, as a validator is its hotkey; delete the validator and apply it anew",
    },
];
