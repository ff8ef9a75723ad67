//! axe-core, which finds accessibility faults in a page. npm installs it below the target folder, once.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::chromium::{is_installed, say};
use super::{Chromium, Page};

const VERSION: &str = "4.14.1";

/// The rules to check: WCAG 2.2 AA, and the best practices of axe-core's authors.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

/// The script of axe-core.
pub(crate) struct Axe(String);

impl Axe {
    /// Installs axe-core, unless it is installed. Prints a line if that is impossible.
    pub(crate) fn install() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("axe-{VERSION}"));
        let script = folder.join("node_modules/axe-core/axe.min.js");
        if !script.exists() && is_installed("npm") {
            fs::create_dir_all(&folder).expect("the target folder takes files");
            let _ = Command::new("npm")
                .args(["install", "--no-save", "--no-audit", "--no-fund", "--fetch-retries=0"])
                .arg("--fetch-timeout=20000")
                .arg("--prefix")
                .arg(&folder)
                .arg(format!("axe-core@{VERSION}"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status();
        }
        let script = fs::read_to_string(script).ok().map(Self);
        if script.is_none() {
            say("skipped: no axe-core here, as there is no npm or no network");
        }
        script
    }

    /// Checks the current view of a page.
    pub(crate) fn check(&self, page: &Page<'_>, what: &str) {
        if page.eval("'axe' in window") == false {
            page.eval(&format!("{};0", self.0));
        }
        let found = page.eval(&format!(
            "axe.run({{ runOnly: {RULES} }}).then(({{ violations }}) => violations.flatMap(
                ({{ id, nodes }}) => nodes.map(n => `${{id}}: ${{n.html}}: ${{n.failureSummary}}`)))"
        ));
        let found = found.as_array().expect("a list");
        assert!(found.is_empty(), "{what}: {found:#?}");
    }
}

/// Installs axe-core and starts Chromium, if both are available.
pub(crate) fn with_chromium() -> Option<(Axe, Chromium)> {
    Axe::install().zip(Chromium::start())
}
