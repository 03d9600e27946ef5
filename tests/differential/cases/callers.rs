//! Callers with valid tokens, invalid ones, and none.

use super::{Caller, Case, Token, case, get, put};
use testkit::{api_client::LANES, hostile_values::SUBJECTS};

const AUTHORIZATIONS: [(&str, &str, Token); 20] = [
    ("an empty Authorization", "", Token::Good),
    ("a token without Bearer", "{token}", Token::Good),
    ("bearer in small letters", "bearer {token}", Token::Good),
    ("BEARER in capital letters", "BEARER {token}", Token::Good),
    ("two spaces before the token", "Bearer  {token}", Token::Good),
    ("a space behind the token", "Bearer {token} ", Token::Good),
    ("Bearer alone", "Bearer", Token::Good),
    ("Bearer and no token", "Bearer x", Token::Good),
    ("Bearer and three invalid parts", "Bearer x.y.z", Token::Good),
    ("Basic", "Basic ZGVtbzpkZW1v", Token::Good),
    ("a signature of AWS", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/execute-api/aws4_request", Token::Good),
    ("two tokens", "Bearer {token}, Bearer {token}", Token::Good),
    ("an expired token", "Bearer {token}", Token::Expired),
    ("a token that is not valid yet", "Bearer {token}", Token::NotYetValid),
    ("a token of an impostor", "Bearer {token}", Token::OfAnImpostor),
    ("a token for another audience", "Bearer {token}", Token::ForAnotherAudience),
    ("a token of another issuer", "Bearer {token}", Token::OfAnotherIssuer),
    ("an unsigned token", "Bearer {token}", Token::Unsigned),
    ("a token without a subject", "Bearer {token}", Token::WithoutSubject),
    ("a token of an empty subject", "Bearer {token}", Token::OfSubject("")),
];

pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for lane in LANES {
        cases.push(case(format!("{lane}, no token"), put(lane).of(Caller::Anonymous)));
        let with = |(name, text, token)| case(format!("{lane}, {name}"), put(lane).of(Caller::With(text, token)));
        cases.extend(AUTHORIZATIONS.map(with));
        let of_subject = |subject: &str| {
            case(format!("{lane}, the subject {subject}"), put(lane).of(Caller::Subject(subject.to_owned())))
        };
        cases.extend(SUBJECTS.map(of_subject));
        cases.push(of_subject("Jörg"));
        let of_mallory = get().of(Caller::Subject("mallory".to_owned()));
        cases.push(Case {
            before: vec![put(lane)],
            ..case(format!("{lane}, another owner's order, asked for"), of_mallory)
        });
    }
    cases.push(case("status, no token", get().of(Caller::Anonymous)));
    cases.extend(
        AUTHORIZATIONS.map(|(name, text, token)| case(format!("status, {name}"), get().of(Caller::With(text, token)))),
    );
    cases
}
