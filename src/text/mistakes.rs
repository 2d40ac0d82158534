//! Mistakes in files as people read them: the place, the words, the line with a
//! caret under what is meant.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::texts::Texts;
use crate::model::Mistake;

/// `frc.toml:12:5: words`, then the line and a caret under the place.
pub fn render(mistake: &Mistake, texts: &Texts) -> String {
    let words = texts.render(&mistake.what);
    if mistake.line == 0 {
        return format!("{}: {words}", mistake.file);
    }
    let mut out = format!("{}:{}:{}: {words}", mistake.file, mistake.line, mistake.column);
    let number = mistake.line.to_string();
    let start = mistake.offset as usize;
    let columns = |from: usize, n: usize| mistake.excerpt.chars().skip(from).take(n).collect::<String>().width();
    let before = columns(0, start);
    let under = columns(start, mistake.width as usize).max(1);
    // Writing to a String cannot fail.
    let _ = write!(out, "\n  {number} | {}", mistake.excerpt);
    let _ = write!(out, "\n  {:>w$} | {:before$}{}", "", "", "^".repeat(under), w = number.len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Message;
    use crate::text::Language;

    #[test]
    fn the_caret_stands_under_the_place() {
        let texts = Texts::new(Language::En);
        let source = "[x]\n名 = treshold\n";
        let at = source.find("tre").unwrap();
        let m = Mistake::at("frc.toml", source, at..at + 8, Message::new("status-fault"));
        assert_eq!(render(&m, &texts), "frc.toml:2:5: fault\n  2 | 名 = treshold\n    |      ^^^^^^^^");
        let m = Mistake::whole("frc.toml", Message::new("status-fault"));
        assert_eq!(render(&m, &texts), "frc.toml: fault");
    }
}
