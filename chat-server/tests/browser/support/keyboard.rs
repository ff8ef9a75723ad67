//! Keys, as a keyboard sends them.

use serde_json::{Value, json};

use super::Page;

/// A key that is not a letter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Enter,
    Escape,
    Space,
    Tab,
}

impl Key {
    /// Its name, key code and text.
    fn parts(self) -> (&'static str, u32, &'static str) {
        match self {
            Self::Enter => ("Enter", 13, "\r"),
            Self::Escape => ("Escape", 27, ""),
            Self::Space => (" ", 32, " "),
            Self::Tab => ("Tab", 9, ""),
        }
    }
}

/// The bit of the Shift key among the modifiers.
pub(crate) const fn shift() -> u32 {
    8
}

/// Typing.
impl Page<'_> {
    /// Presses and releases a key.
    pub(crate) fn press(&self, key: Key) {
        self.press_with(0, key);
    }

    /// Presses and releases a key while modifiers are down.
    pub(crate) fn press_with(&self, modifiers: u32, key: Key) {
        let (name, code, text) = key.parts();
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let mut event = json!({
            "type": down, "modifiers": modifiers, "key": name, "text": text,
            "code": if name == " " { "Space" } else { name }, "windowsVirtualKeyCode": code,
        });
        self.key(&event);
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.key(&event);
    }

    /// Presses Enter, and has an input method consume it. The key code is that of Enter, or 229.
    pub(crate) fn enter_for_input_method(&self, code: u32) {
        let mut event = json!({
            "type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": code,
        });
        self.key(&event);
        event["type"] = "keyUp".into();
        self.key(&event);
    }

    /// Breaks the line without a key, as some input methods pass on Enter.
    pub(crate) fn line_break(&self) {
        self.key(&json!({ "type": "char", "text": "\r", "key": "Enter" }));
    }

    /// Shows a text as being composed by an input method.
    pub(crate) fn compose(&self, text: &str) {
        let end = text.encode_utf16().count();
        let params = json!({ "text": text, "selectionStart": end, "selectionEnd": end });
        self.expect("Input.imeSetComposition", &params);
    }

    /// Types a text, or commits a composed one.
    pub(crate) fn insert(&self, text: &str) {
        self.expect("Input.insertText", &json!({ "text": text }));
    }

    fn key(&self, event: &Value) {
        self.expect("Input.dispatchKeyEvent", event);
    }
}
