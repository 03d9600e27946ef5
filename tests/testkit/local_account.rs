//! The local cloud's IAM and API Gateway over HTTP, because their SDKs take longer to compile than anything else here.

use crate::{
    api_client::{send, set_up_tls},
    outputs::HOW,
};
use reqwest::{
    Client, Method, RequestBuilder, Url,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use std::env;

/// Unsigned: the local cloud does not check the signature.
pub fn request(service: &str, method: Method, path: &str) -> RequestBuilder {
    let setting = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set.\n{HOW}"));
    let credential =
        format!("{}/20000101/{}/{service}/aws4_request", setting("AWS_ACCESS_KEY_ID"), setting("AWS_REGION"));
    let signature = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
    let url = format!("{}/{path}", setting("AWS_ENDPOINT_URL"));
    set_up_tls();
    let client = Client::builder().no_proxy().build().unwrap();
    client.request(method, url).header(AUTHORIZATION, signature)
}

/// Calls IAM with parameters by name. Returns the answer as XML.
pub async fn iam(action: &str, parameters: &[(&str, &str)]) -> String {
    let call = [("Action", action), ("Version", "2010-05-08")];
    let form = Url::parse_with_params("http://form", call.iter().chain(parameters)).unwrap();
    let call = request("iam", Method::POST, "").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = send(call.body(form.query().unwrap().to_owned())).await;
    assert_eq!(response.status, 200, "{action} of IAM: {response:?}");
    response.body.as_str().expect("it is XML").to_owned()
}

/// Texts of all elements of that name, which must not contain other elements.
pub fn elements(xml: &str, name: &str) -> Vec<String> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&begin).skip(1).map(|rest| rest.split(&end).next().unwrap().to_owned()).collect()
}
