//! How a text is told in the language asked for. The library and the program are both built with this
//! file; it is no part of what the library offers.

use std::fmt;

use chat_core::Lang;

/// Writes a text in the language asked for. A text without one of them does not compile.
macro_rules! say {
    ($f:expr, $lang:expr, en: $en:literal, ko: $ko:literal $(,)?) => {
        match $lang {
            chat_core::Lang::En => write!($f, $en),
            chat_core::Lang::Ko => write!($f, $ko),
        }
    };
}
pub(crate) use say;

/// What has a text in every language.
pub(crate) trait Say {
    fn say(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Something in one of the languages.
pub(crate) struct Said<'a, T> {
    pub(crate) what: &'a T,
    pub(crate) lang: Lang,
}

impl<T: Say> fmt::Display for Said<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.say(self.lang, f)
    }
}

/// What is the same at all times, in every language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InEach<T> {
    pub(crate) en: T,
    pub(crate) ko: T,
}

impl<T: Copy> InEach<T> {
    pub(crate) const fn text(&self, lang: Lang) -> T {
        match lang {
            Lang::En => self.en,
            Lang::Ko => self.ko,
        }
    }
}
