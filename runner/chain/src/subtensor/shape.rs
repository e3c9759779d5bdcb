//! What a type of a runtime is, as far as an encoding is concerned: names of wrappers do not count, widths do.
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, TypeDef};

/// Wrappers in wrappers.
const DEEPEST: usize = 16;

/// A type in short: `u16`, `[u8]` for any number of bytes, `[u8; 32]`, `compact u64`, the last word of a path where there is more
/// to it than one field.
pub(crate) fn shape(types: &PortableRegistry, id: u32) -> String {
    of(types, id, DEEPEST)
}

fn of(types: &PortableRegistry, id: u32, depth: usize) -> String {
    let Some(ty) = types.resolve(id) else { return "?".to_owned() };
    let name = || ty.path.segments.last().cloned().unwrap_or_else(|| "()".to_owned());
    let Some(depth) = depth.checked_sub(1) else { return name() };
    match &ty.type_def {
        TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
        TypeDef::Sequence(sequence) => format!("[{}]", of(types, sequence.type_param.id, depth)),
        TypeDef::Array(array) => format!("[{}; {}]", of(types, array.type_param.id, depth), array.len),
        TypeDef::Compact(compact) => format!("compact {}", of(types, compact.type_param.id, depth)),
        // Accounts and hashes are bytes as well, and must not be taken for each other.
        TypeDef::Composite(composite) => match composite.fields.as_slice() {
            [only] if !matches!(name().as_str(), "AccountId32" | "H256" | "CommitmentInfo") => {
                field(types, only, depth)
            }
            _ => name(),
        },
        _ => name(),
    }
}

fn field(types: &PortableRegistry, field: &Field<PortableForm>, depth: usize) -> String {
    of(types, field.ty.id, depth)
}
