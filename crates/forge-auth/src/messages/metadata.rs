//! What the authorization server says of itself (RFC 8414).

use forge_types::Scope;
use forge_types::grant::DETAILS_TYPE;
use serde_json::{Value, json};

use super::GRANT_TYPES;
use crate::jose::ALGORITHMS;

/// Returns the metadata of the server whose issuer is `issuer`, without a slash at its end; `mutual` is the origin at which
/// clients show certificates (RFC 8705 §5), if there is one.
#[must_use]
pub fn metadata(issuer: &str, mutual: Option<&str>) -> Value {
    let mut metadata = described(issuer);
    if let Some(origin) = mutual {
        metadata["mtls_endpoint_aliases"] = json!({
            "token_endpoint": format!("{origin}/login/oauth/access_token"),
            "revocation_endpoint": format!("{origin}/login/oauth/revoke"),
            "introspection_endpoint": format!("{origin}/login/oauth/introspect"),
            "device_authorization_endpoint": format!("{origin}/login/device/code"),
        });
        metadata["tls_client_certificate_bound_access_tokens"] = true.into();
        if let Some(methods) = metadata["token_endpoint_auth_methods_supported"].as_array_mut() {
            methods.extend(["tls_client_auth", "self_signed_tls_client_auth"].map(Value::from));
        }
    }
    metadata
}

fn described(issuer: &str) -> Value {
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/login/oauth/authorize"),
        "token_endpoint": format!("{issuer}/login/oauth/access_token"),
        "device_authorization_endpoint": format!("{issuer}/login/device/code"),
        "pushed_authorization_request_endpoint": format!("{issuer}/login/oauth/par"),
        "require_pushed_authorization_requests": false,
        "revocation_endpoint": format!("{issuer}/login/oauth/revoke"),
        "introspection_endpoint": format!("{issuer}/login/oauth/introspect"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANT_TYPES,
        "authorization_details_types_supported": [DETAILS_TYPE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
        "dpop_signing_alg_values_supported": ALGORITHMS,
    })
}
