//! Writes the generated files of a documentation folder: `make openapi` passes docs/.

use std::path::PathBuf;
use std::{env, fs, io};

use admin_api::openapi;

fn main() -> io::Result<()> {
    let docs: PathBuf = env::args_os().nth(1).unwrap_or_default().into();
    fs::write(docs.join("openapi.json"), openapi::document())?;
    let permissions = docs.join("permissions.md");
    let page = fs::read_to_string(&permissions)?;
    fs::write(permissions, openapi::permissions::with_current_routes(&page))
}
