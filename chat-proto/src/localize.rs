//! Texts in several languages: one mechanism for messages, errors and help.

use std::fmt;

use crate::lang::Lang;

/// A value whose text exists in every [`Lang`].
///
/// Implementations use [`localize!`](crate::localize), which does not compile while a language lacks its
/// text.
///
/// ```
/// use std::fmt;
///
/// use chat_proto::{Lang, Localize, localize};
///
/// struct Joined(u32);
///
/// impl Localize for Joined {
///     fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         let Self(n) = self;
///         localize!(f, lang, en: "{n} joined", ko: "{n}명이 들어왔어요")
///     }
/// }
///
/// assert_eq!(Joined(3).localized(Lang::En).to_string(), "3 joined");
/// assert_eq!(Joined(3).localized(Lang::Ko).to_string(), "3명이 들어왔어요");
/// ```
pub trait Localize {
    /// Writes the text in `lang`.
    ///
    /// # Errors
    /// Those of the formatter.
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Pairs the value with a language, for display.
    fn localized(&self, lang: Lang) -> Localized<'_, Self> {
        Localized { value: self, lang }
    }
}

/// A value paired with the language it is displayed in. Returned by [`Localize::localized`].
#[derive(Debug, Clone, Copy)]
pub struct Localized<'a, T: ?Sized> {
    value: &'a T,
    lang: Lang,
}

impl<T: Localize + ?Sized> fmt::Display for Localized<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt_in(self.lang, f)
    }
}

/// One constant per [`Lang`], such as a row in a table of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerLang<T> {
    /// In English.
    pub en: T,
    /// In Korean.
    pub ko: T,
}

impl<T: Copy> PerLang<T> {
    /// The constant for `lang`.
    pub const fn get(&self, lang: Lang) -> T {
        match lang {
            Lang::En => self.en,
            Lang::Ko => self.ko,
        }
    }
}

/// Writes to a formatter in the given [`Lang`], with one format string per language. They may capture
/// variables.
///
/// `localize!(f, lang, en: "…", ko: "…")` evaluates to a [`fmt::Result`](std::fmt::Result). See
/// [`Localize`] for an example.
#[macro_export]
macro_rules! localize {
    ($f:expr, $lang:expr, en: $en:literal, ko: $ko:literal $(,)?) => {
        match $lang {
            $crate::Lang::En => ::std::write!($f, $en),
            $crate::Lang::Ko => ::std::write!($f, $ko),
        }
    };
}
