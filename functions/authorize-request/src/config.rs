use lambda_support::environment::Environment;

pub(crate) struct Config {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// Not used if `jwks` is set.
    pub(crate) jwks_url: Option<String>,
    pub(crate) jwks: Option<String>,
}

impl Config {
    pub(crate) fn from_env(environment: &mut Environment) -> Self {
        Self {
            issuer: environment.text("JWT_ISSUER"),
            audience: environment.text("JWT_AUDIENCE"),
            jwks_url: environment.optional_url("JWKS_URL"),
            jwks: environment.optional_text("JWKS"),
        }
    }
}
