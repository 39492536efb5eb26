//! The event files: `events/<function>/<case>.json`, one per situation that a function must handle.

use std::fs;
use std::path::PathBuf;

/// All cases of one function, by name, with the file's content. A test names what it expects of each case, so that a file
/// nobody uses, and a case nobody wrote, both show.
///
/// # Panics
/// Where the folder cannot be read: a test without its events must not pass.
#[must_use]
#[expect(clippy::panic, reason = "only tests call it, and it has nothing to tell them but that they fail")]
pub fn all(function: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events")).join(function);
    let read = || {
        let mut cases = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let case = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            cases.push((case, fs::read_to_string(&path)?));
        }
        cases.sort();
        Ok::<_, std::io::Error>(cases)
    };
    read().unwrap_or_else(|error| panic!("the events in {} cannot be read: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_come_by_name_with_their_content() {
        let cases = all("pre-sign-up");
        let (_, event) = cases.iter().find(|(case, _)| case == "sign-up").unwrap();
        assert!(event.contains("PreSignUp_SignUp"));
    }

    #[test]
    fn a_function_without_events_fails_its_test() {
        assert!(std::panic::catch_unwind(|| all("no-such-function")).is_err());
    }
}
