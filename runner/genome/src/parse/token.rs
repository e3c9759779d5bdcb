//! Splitting a text where the original's reader splits it.

/// A run of characters between separators.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    /// Byte in the text where it starts.
    pub(super) offset: usize,
    pub(super) text: &'a str,
}

/// Tokens in order; separators are white space (ASCII, with vertical tab), parentheses and commas.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = text.get(offset..)?;
        let start = offset + rest.find(|next| !is_separator(next))?;
        let token = &text[start..];
        let token = &token[..token.find(is_separator).unwrap_or(token.len())];
        offset = start + token.len();
        Some(Token { offset: start, text: token })
    })
}

fn is_separator(next: char) -> bool {
    matches!(next, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '(' | ')' | ',')
}
