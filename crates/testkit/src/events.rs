//! The event files `events/<function>/<case>.json`.

use std::fs;
use std::path::PathBuf;

/// All cases of one function by name, with the file's content. Tests list every case, so that an unused file and a
/// missing case both fail.
///
/// # Panics
/// If the directory cannot be read, because a test without its events must not pass.
#[must_use]
#[expect(clippy::panic, reason = "only tests call it")]
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
    fn returns_cases_by_name_with_their_content() {
        let cases = all("pre-sign-up");
        let (_, event) = cases.iter().find(|(case, _)| case == "sign-up").unwrap();
        assert!(event.contains("PreSignUp_SignUp"));
    }

    #[test]
    fn panics_for_a_function_without_events() {
        assert!(std::panic::catch_unwind(|| all("no-such-function")).is_err());
    }
}
