//! The API's own description: OpenAPI 3.1, made from the handlers and their types.

use std::sync::OnceLock;

use axum::Json;
use axum::extract::State;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi as _};

use crate::guard::SESSION;
use crate::problem::Problem;
use crate::server::Server;

/// The head of the description; operations are added with their routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Marquee",
        description = "What a title will make, how sure that is, why, what is at risk, which projects to fund. Every answer \
            is a distribution; amounts are US dollars, nominal, unless a key says otherwise; days are YYYY-MM-DD. Errors \
            are problem details (RFC 9457) with a stable `code`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Problem)),
    modifiers(&Schemes),
    security(("token" = []), ("session" = []))
)]
struct Head;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION)));
        components.add_security_scheme("session", cookie);
    }
}

pub(crate) fn document() -> OpenApi {
    Head::openapi()
}

/// The description, as the routes make it.
pub(crate) fn whole(server: &Server) -> &'static OpenApi {
    static DOCUMENT: OnceLock<OpenApi> = OnceLock::new();
    DOCUMENT.get_or_init(|| super::routes(server).finish().2)
}

/// The description as JSON.
pub(crate) async fn openapi(State(server): State<Server>) -> Json<&'static OpenApi> {
    Json(whole(&server))
}
