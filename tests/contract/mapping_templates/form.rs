//! A strict reader of forms: `application/x-www-form-urlencoded`, as Java's `URLEncoder` writes it.

/// Name and value, as bytes.
pub(super) type Field = (Vec<u8>, Vec<u8>);

/// In the form's order.
///
/// # Errors
/// What is wrong with the form.
pub(super) fn fields(form: &str) -> Result<Vec<Field>, String> {
    let fields = form.split('&').map(|field| {
        let (name, value) = field.split_once('=').ok_or_else(|| format!("a field without a value: {field}"))?;
        Ok((decoded(name)?, decoded(value)?))
    });
    fields.collect()
}

/// Source of the characters that are not encoded: Java API, `java.net.URLEncoder`.
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => bytes.push(*byte),
            b'+' => bytes.push(b' '),
            b'%' => {
                let (code, after) = rest.split_at_checked(2).ok_or("a percent sign at the end")?;
                let code = str::from_utf8(code).ok().filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let code = code.ok_or_else(|| format!("a percent sign without a code: {text:.200}"))?;
                bytes.push(u8::from_str_radix(code, 16).map_err(|error| error.to_string())?);
                rest = after;
            }
            other => return Err(format!("{:?} is not encoded: {text:.200}", char::from(*other))),
        }
    }
    Ok(bytes)
}

#[test]
fn a_form_that_is_not_encoded_is_an_error() {
    assert_eq!(fields("a=b+c%26&d=").unwrap(), [(b"a".to_vec(), b"b c&".to_vec()), (b"d".to_vec(), Vec::new())]);
    for wrong in ["a", "a=b=c", "a=b c", "a=%2", "a=%+1", "a=b\n", "a=é", "a=$x", "a=b&"] {
        assert!(fields(wrong).is_err(), "{wrong}");
    }
}
