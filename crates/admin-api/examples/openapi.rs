//! Writes the generated files of a documentation folder: `make openapi` passes docs/.

use std::path::PathBuf;
use std::{env, fs, io};

use admin_api::openapi;

fn main() -> io::Result<()> {
    let docs = PathBuf::from(env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?);
    let permissions = docs.join("permissions.md");
    let page = openapi::permissions::with_current_routes(&fs::read_to_string(&permissions)?);
    fs::write(permissions, page.ok_or(io::ErrorKind::InvalidData)?)?;
    fs::write(docs.join("openapi.json"), openapi::document())
}
