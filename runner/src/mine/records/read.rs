//! Lines to records. A file that was changed or cut is found out, and the line named.
use super::{Circumstances, FORMAT, Line, NAME, Score, line_of};
use crate::failure::Failure;
use automl_lab::Lab;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// A score as it stands in a file.
pub(crate) struct Recorded {
    /// Its line, from 1.
    pub line: usize,
    pub circumstances: Rc<Circumstances>,
    pub score: Score,
    text: String,
    name: String,
}

impl Recorded {
    /// Whether `again`, computed in this lab, is this score to the bit.
    pub(crate) fn equals(&self, again: &Score, lab: &Lab) -> Result<bool, Failure> {
        Ok(line_of(&self.name, lab, again)? == self.text)
    }
}

/// Every score of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<Recorded>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    let damaged = |line: usize, problem: &dyn std::fmt::Display| {
        Failure::bad_input(format!("{}:{line}: {problem}; the file was changed or cut", path.display()))
    };
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut known: HashMap<String, Rc<Circumstances>> = HashMap::new();
    let mut recorded = Vec::new();
    for (number, line) in (1..).zip(text[..whole].lines()) {
        let parsed = serde_json::from_str(line).map_err(|error| damaged(number, &error))?;
        match parsed {
            Line::Circumstances { sha256, of } => {
                if of.format != FORMAT {
                    let problem = format!("format {} is not the {FORMAT} that this runner reads", of.format);
                    return Err(Failure::bad_input(format!("{}:{number}: {problem}", path.display())));
                }
                if sha256 != of.sha256()? {
                    return Err(damaged(number, &"the circumstances are not those that their hash names"));
                }
                known.insert(sha256[..NAME].to_owned(), Rc::new(*of));
            }
            Line::Score(scored) => {
                let name = scored.circumstances;
                let Some(circumstances) = known.get(&name).map(Rc::clone) else {
                    return Err(damaged(number, &format!("no line before it has the circumstances {name}")));
                };
                recorded.push(Recorded {
                    line: number,
                    circumstances,
                    score: scored.score,
                    text: line.to_owned(),
                    name,
                });
            }
        }
    }
    if whole < text.len() {
        return Err(damaged(
            text[..whole].lines().count() + 1,
            &"the line has no end (a killed run leaves that, and `runner resume` mends it)",
        ));
    }
    Ok(recorded)
}
