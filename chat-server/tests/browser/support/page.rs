//! The page of one person: a tab in a browser context of its own, and the person's actions there.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chromium::{Answer, say};
use super::{Chromium, DEADLINE, Key};

/// Quotes a text for JavaScript.
fn js(text: &str) -> String {
    Value::from(text).to_string()
}

/// Decodes base64.
fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |c: u8| DIGITS.iter().position(|&digit| digit == c);
    let digits: Vec<usize> = text.bytes().map_while(value).collect();
    let of_four = |four: &[usize]| {
        let bits = (0..4).fold(0, |bits, n| bits << 6 | four.get(n).copied().unwrap_or(0) as u32);
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(of_four).collect()
}

/// A tab. Dropping it in a failing test prints what it shows, and its console.
pub(crate) struct Page<'a> {
    chromium: &'a Chromium,
    session: String,
    who: &'static str,
}

/// Opening and inspecting.
impl<'a> Page<'a> {
    /// A blank tab of a new person, whose browser prefers a language.
    pub(crate) fn blank(chromium: &'a Chromium, who: &'static str, lang: &str) -> Self {
        let id = |value: &Value| value.as_str().expect("an id").to_owned();
        let context = chromium.expect("Target.createBrowserContext", &json!({}));
        let target =
            json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
        let target = chromium.expect("Target.createTarget", &target);
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = chromium.expect("Target.attachToTarget", &attached);
        let page = Self { chromium, session: id(&attached["sessionId"]), who };
        for domain in ["Page", "Runtime", "Log"] {
            page.expect(&format!("{domain}.enable"), &json!({}));
        }
        let version = chromium.expect("Browser.getVersion", &json!({}));
        let agent = json!({ "userAgent": version["userAgent"], "acceptLanguage": lang });
        page.expect("Emulation.setUserAgentOverride", &agent);
        // Each tab behaves as if its window had the focus.
        page.expect("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }));
        page.size(1280, 800);
        page
    }

    /// The tab of a new person who has opened an address.
    pub(crate) fn open(chromium: &'a Chromium, who: &'static str, lang: &str, url: &str) -> Self {
        let page = Self::blank(chromium, who, lang);
        page.go(url);
        page
    }

    /// The tab of a new person who has opened an address and given a name.
    pub(crate) fn enter(chromium: &'a Chromium, name: &'static str, lang: &str, url: &str) -> Self {
        let page = Self::open(chromium, name, lang, url);
        page.be(name);
        page
    }

    /// Opens an address, and waits until the page is there.
    pub(crate) fn go(&self, url: &str) {
        self.expect("Page.navigate", &json!({ "url": url }));
        self.wait(&format!(
            "location.href === new URL({}).href && document.body.dataset.link === 'on'",
            js(url)
        ));
    }

    /// Runs a script in each document from now on, before those of the page.
    pub(crate) fn run_first(&self, script: &str) {
        self.expect("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Sets the size of the tab in CSS pixels. A narrow tab stands for a phone.
    pub(crate) fn size(&self, width: u32, height: u32) {
        let is_phone = width < 700;
        let metrics = json!({
            "width": width, "height": height, "mobile": is_phone,
            "deviceScaleFactor": if is_phone { 2 } else { 1 },
        });
        self.expect("Emulation.setDeviceMetricsOverride", &metrics);
        let touch = json!({ "enabled": is_phone });
        self.expect("Emulation.setTouchEmulationEnabled", &touch);
    }

    /// Sets the preferred colour scheme, `light` or `dark`.
    pub(crate) fn prefer(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.expect("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// The value of an expression.
    pub(crate) fn eval(&self, expression: &str) -> Value {
        self.try_eval(expression).unwrap_or_else(|e| panic!("{}: {e}", self.who))
    }

    /// The value of a numeric expression.
    pub(crate) fn number(&self, expression: &str) -> f64 {
        self.eval(expression).as_f64().unwrap_or_else(|| panic!("{expression} is a number"))
    }

    /// The texts of all elements that match.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let texts = self.eval(&format!(
            "[...document.querySelectorAll({})].map(e => e.textContent.trim())",
            js(selector)
        ));
        let texts = texts.as_array().expect("a list");
        texts.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait(&self, condition: &str) {
        self.wait_for(condition, true);
    }

    /// Waits until an expression has this value.
    pub(crate) fn wait_for(&self, expression: &str, value: impl Into<Value>) {
        let (value, deadline) = (Ok(value.into()), Instant::now() + DEADLINE);
        loop {
            // While a page loads, there is no document.
            let answer = self.try_eval(expression);
            if answer == value {
                return;
            }
            let (who, late) = (self.who, Instant::now() > deadline);
            assert!(!late, "{who}: not within {DEADLINE:?}: {expression}; now {answer:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until an element that matches shows a text.
    pub(crate) fn see(&self, selector: &str, text: &str) {
        let (selector, text) = (js(selector), js(text));
        self.wait(&format!(
            "[...document.querySelectorAll({selector})].some(
                e => e.checkVisibility() && e.textContent.includes({text}))"
        ));
    }

    /// Checks that nothing went wrong in the page: no exception, no error, nothing that its policy blocked.
    pub(crate) fn expect_quiet(&self) {
        let _ = self.eval("0");
        let console = self.chromium.console(&self.session);
        assert!(console.is_empty(), "{}: the console says {console:#?}", self.who);
    }

    /// A picture of the tab, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let picture = self.expect("Page.captureScreenshot", &json!({ "format": "png" }));
        from_base64(picture["data"].as_str().expect("a picture"))
    }

    /// Sends a command that must not fail.
    pub(crate) fn expect(&self, method: &str, params: &Value) -> Value {
        self.command(method, params).unwrap_or_else(|e| panic!("{}: {e}", self.who))
    }

    fn command(&self, method: &str, params: &Value) -> Answer {
        self.chromium.command(Some(&self.session), method, params)
    }

    fn try_eval(&self, expression: &str) -> Answer {
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true,
        });
        let mut answer = self.command("Runtime.evaluate", &params)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(format!("{expression}: {}", details["exception"]["description"])),
            None => Ok(answer["result"]["value"].take()),
        }
    }
}

/// The actions of a person.
impl Page<'_> {
    /// The middle of an element, once it can be reached there.
    fn reach(&self, selector: &str) -> Value {
        let find = format!(
            "(() => {{
                const e = document.querySelector({}); e.scrollIntoView({{ block: 'nearest' }});
                const {{ x, y, width, height }} = e.getBoundingClientRect();
                window.at = [x + width / 2, y + height / 2];
                return e.contains(document.elementFromPoint(...at));
            }})()",
            js(selector)
        );
        self.wait(&find);
        self.eval("window.at")
    }

    /// Clicks the middle of an element.
    pub(crate) fn click(&self, selector: &str) {
        let at = self.reach(selector);
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
            self.expect("Input.dispatchMouseEvent", &event);
        }
    }

    /// Turns the wheel over the middle of an element, by this number of CSS pixels.
    pub(crate) fn scroll_up(&self, selector: &str, pixels: u32) {
        let at = self.reach(selector);
        let event = json!({
            "type": "mouseWheel", "x": at[0], "y": at[1], "deltaX": 0, "deltaY": -i64::from(pixels),
        });
        self.expect("Input.dispatchMouseEvent", &event);
    }

    /// Clicks into a field and replaces what it has.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        self.click(selector);
        self.eval(&format!("document.querySelector({}).select()", js(selector)));
        self.insert(text);
    }

    /// Enters the name that the page asks for.
    pub(crate) fn be(&self, name: &str) {
        self.wait("document.getElementById('name-dialog').open");
        self.fill("#name", name);
        self.press(Key::Enter);
        self.wait("!document.getElementById('name-dialog').open");
    }

    /// Makes a room, and waits until the person is in it.
    pub(crate) fn create(&self, title: &str) {
        self.fill("#new-title", title);
        self.click("#create");
        self.see("#room-title", title);
    }

    /// Says something, and waits until it has arrived.
    pub(crate) fn say(&self, text: &str) {
        self.fill("#say", text);
        self.press(Key::Enter);
        self.wait(&format!(
            "(([text, state]) => text === {} && state === 'arrived')([...document.querySelectorAll( \
             '.line[data-kind=own]')].map(e => [e.querySelector('.text').textContent, e.dataset.state]).at(-1) ?? [])",
            js(text)
        ));
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let shown = self.try_eval("`${location} ${document.title}\\n${document.body.innerText}`");
        let shown = shown.map_or_else(|e| e, |text| text.as_str().unwrap_or_default().to_owned());
        let mut report = format!("== The page of {}: {shown}\n== Its console:\n", self.who);
        for line in self.chromium.console(&self.session) {
            let _ = writeln!(report, "{line}");
        }
        say(&report);
    }
}
