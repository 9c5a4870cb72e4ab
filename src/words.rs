//! Words of Portside's own that exist in every language of the page.
//!
//! What simulated programs print is a fact and has one form; what Portside says itself (help,
//! explanations, hints) is a [`Words`]. This module owns the choice of language and nothing else.

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// One text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The English text.
    pub en: &'static str,
    /// The text in Simplified Chinese.
    pub zh: &'static str,
}

impl Words {
    /// The text in `language`.
    pub fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }
}
