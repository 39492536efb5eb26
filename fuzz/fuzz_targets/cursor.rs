//! Tests that a list of the API rejects any cursor that the API did not seal for this list.
#![no_main]

#[path = "../../crates/admin-api/tests/invariants/mod.rs"]
#[expect(dead_code, reason = "this target needs the subject only")]
mod invariants;

use std::sync::LazyLock;

use invariants::cursors::Lists;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use poolkeeper_fuzz::edit::Edit;

static LISTS: LazyLock<Lists> = LazyLock::new(Lists::new);

/// The characters of a cursor.
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Debug, Arbitrary)]
enum Attempt<'a> {
    /// Any text.
    Text { list: u8, cursor: &'a str },
    /// A cursor of a list, changed.
    Changed { list: u8, edit: Edit<'a> },
    /// A cursor of a list with one other character.
    Replaced { list: u8, at: u16, with: u8 },
    /// A cursor of one list, sent to another list.
    Moved { from: u8, to: u8 },
    /// Any position, sealed with a key of the attacker's choice.
    Sealed { list: u8, key: &'a [u8], name: &'a str, position: &'a [u8] },
}

fuzz_target!(|attempt: Attempt<'_>| match attempt {
    Attempt::Text { list, cursor } => LISTS.assert_refused_unless_sealed(list.into(), cursor),
    Attempt::Changed { list, edit } => {
        if let Ok(cursor) = String::from_utf8(edit.apply(LISTS.cursor_of(list.into()))) {
            LISTS.assert_refused_unless_sealed(list.into(), &cursor);
        }
    }
    Attempt::Replaced { list, at, with } => {
        let mut cursor = LISTS.cursor_of(list.into()).to_owned();
        let at = usize::from(at) % cursor.len();
        cursor.replace_range(at..=at, &char::from(CHARACTERS[usize::from(with) % CHARACTERS.len()]).to_string());
        LISTS.assert_refused_unless_sealed(list.into(), &cursor);
    }
    Attempt::Moved { from, to } => LISTS.assert_refused_unless_sealed(to.into(), LISTS.cursor_of(from.into())),
    Attempt::Sealed { list, key, name, position } => {
        LISTS.assert_refused_unless_sealed(list.into(), &Lists::seal(key, name, position));
    }
});
