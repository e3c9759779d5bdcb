//! How values of a file appear in messages: short, on one line, without control characters.

/// The longest piece of a person's text that a message repeats, in characters.
const LONGEST: usize = 60;

/// Text without characters that a terminal would act on.
pub(crate) fn printable(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '\'' | '"' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    });
    escaped.collect()
}

/// A piece of a person's text, safe to print and short.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text),
    }
}

/// The path of the field `name` of the object at `path`.
pub(crate) fn dotted(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[\"{}\"]", shown(name)),
    }
}

/// `a`, `b` or `c`.
pub(crate) fn alternatives<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} or {last}", names.join(", ")),
        None => String::new(),
    }
}

/// A name without what spellings differ in: `batch_size` and `batchSize` are both `batchsize`.
pub(crate) fn bare(name: &str) -> String {
    name.chars().take(LONGEST).filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// The known name that a person most likely meant: the nearest, if it is near.
pub(crate) fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = bare(name);
    let near = (name.len() / 4).max(1);
    let distances = known.into_iter().map(|known| (strsim::osa_distance(&name, &bare(known)), known));
    distances.filter(|(distance, _)| *distance <= near).min().map(|(_, known)| known)
}
