//! What takes long happens on a thread that answers nobody: reading and writing files, packing and
//! unpacking, sorting, and writing long tables.

use actix_web::http::StatusCode;

use super::Problem;

/// Does something that takes long.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let broken = |_| Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}
