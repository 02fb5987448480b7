//! The style sheet and the icon, compiled in.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::Path;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("assets/style.css");
const ICON: &str = include_str!("assets/icon.svg");

/// Where the icon is.
pub(super) const ICON_PATH: &str = "/assets/icon.svg";

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(STYLE.as_bytes());
    format!("style.{}.css", HEXLOWER.encode(&digest[..6]))
});

/// Where the style sheet is: its name changes with its content, so browsers may keep it.
pub(super) fn style_path() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

/// Serves both.
pub(super) async fn serve(name: Path<String>) -> HttpResponse {
    let (content_type, keep, content) = match name.as_str() {
        "icon.svg" => ("image/svg+xml", "public, max-age=86400", ICON),
        name if name == *STYLE_NAME => (
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
            STYLE,
        ),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok()
        .insert_header(("Content-Type", content_type))
        .insert_header(("Cache-Control", keep))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(content)
}
