//! Text of others on pages where a person decides: nothing in it may look like something else.
//!
//! Templates escape what is markup. This is about what is invisible or turns the direction of text (Unicode TR36, "Trojan
//! Source"): it is shown by its number.

use maud::{Markup, html};

/// Renders text with everything that cannot be seen, or changes how the rest is seen, shown as `U+202E`.
pub(crate) fn inert(text: &str) -> Markup {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for character in text.chars() {
        let is_bad = deceives(character);
        let shown = if is_bad { format!("U+{:04X}", u32::from(character)) } else { character.to_string() };
        match pieces.last_mut() {
            Some((false, piece)) if !is_bad => piece.push_str(&shown),
            _ => pieces.push((is_bad, shown)),
        }
    }
    html! { @for (is_bad, piece) in &pieces { @if *is_bad { mark { (piece) } } @else { (piece) } } }
}

/// Returns the same as text alone, for attributes.
pub(crate) fn inert_text(text: &str) -> String {
    let shown = |character: char| {
        if deceives(character) { format!("U+{:04X}", u32::from(character)) } else { character.to_string() }
    };
    text.chars().map(shown).collect()
}

/// Is this a character that does not show, or that changes where others show? Tabs and line ends are neither.
fn deceives(character: char) -> bool {
    let is_layout = matches!(character, '\n' | '\t');
    (character.is_control() && !is_layout)
        || matches!(
            u32::from(character),
            // Soft hyphen, Arabic letter mark, Hangul and Mongolian fillers, zero width and directional marks, embeddings,
            // overrides and isolates, invisible operators, byte order mark, interlinear marks, variation selectors, tags.
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
                | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
                | 0xE0000..=0xE0FFF
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        inert(text).into_string()
    }

    #[test]
    fn plain_text_of_any_language_stays_as_it_is() {
        assert_eq!(shown("let x = 1;\t// grüße, 日本語\n"), "let x = 1;\t// grüße, 日本語\n");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(shown("<script>&"), "&lt;script&gt;&amp;");
    }

    #[test]
    fn what_does_not_show_is_named() {
        assert_eq!(shown("a\u{202e}b"), "a<mark>U+202E</mark>b");
        for hidden in ['\u{200b}', '\u{2066}', '\u{ad}', '\u{feff}', '\u{e0041}', '\r', '\u{1b}', '\u{3164}']
        {
            assert!(shown(&hidden.to_string()).starts_with("<mark>U+"), "{hidden:?}");
        }
    }
}
