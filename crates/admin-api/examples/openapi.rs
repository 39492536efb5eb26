//! Prints the OpenAPI document: `make openapi` writes it into docs/openapi.json.

fn main() {
    print!("{}", admin_api::openapi::document());
}
