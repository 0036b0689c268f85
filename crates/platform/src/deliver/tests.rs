//! Addresses that are refused, and calls to a receiver on this machine.
#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

fn check(text: &str, wanted: &str) {
    let found = Hook::parse(text).map_or_else(|error| error.to_string(), |_| String::new());
    assert!(found.ends_with(wanted) && found.is_empty() == wanted.is_empty(), "{text}: {found}");
    assert!(text.len() < 10 || !found.contains(text), "the address is not shown: {found}");
}

#[test]
fn only_plain_addresses_of_the_web_are_hooks() {
    check("https://hooks.example.com/services/T0/B0/x?y=1", "");
    check("http://[2001:db8::1]:8080/", "");
    check("ftp://hooks.example.com/", "neither `https://` nor `http://`");
    check("file:///etc/passwd", "wanted");
    check("hooks.example.com", "neither `https://` nor `http://`");
    check("https://ana:pw@hooks.example.com/", "leave them out");
    check("https://", "wanted");
    check("", "wanted");
    check("https://a b/", "wanted");
    check(&format!("https://a.example/{}", "x".repeat(2_000)), "longer than 2,000 bytes");
}

/// From IANA's registries, with the last address before and the first behind where a range has an edge of its own.
#[test]
fn what_is_not_public_is_told_apart() {
    let closed = [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "2002:a00:1::",
        "3fff::1",
        "100::1",
        "::10.0.0.1",
        "4000::1",
    ];
    for address in closed {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    let open = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "2001:4860:4860::8888",
    ];
    for address in open {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

/// A receiver that gives each of these answers to one call and hands back what it was sent.
fn receiver(answers: &'static [&'static str]) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let mut told = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut said, mut buffer) = (String::new(), [0; 4_096]);
            while !said.ends_with("}") {
                let n = stream.read(&mut buffer).unwrap();
                said.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
            }
            stream.write_all(answer.as_bytes()).unwrap();
            told.push(said);
        }
        told
    });
    (port, served)
}

fn call(port: u16, to_private: bool) -> Call {
    let hook = Hook::parse(&format!("http://127.0.0.1:{port}/in?token=s3cret")).unwrap();
    let (body, delivery) = (br#"{"title":"x"}"#.to_vec(), "d1".to_owned());
    Call { hook, body, signature: "t=1,v1=00".to_owned(), delivery, to_private }
}

#[tokio::test]
async fn a_call_is_posted_once_with_its_proof_and_follows_nothing() {
    let (port, served) = receiver(&[
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "no\r\n\r\n",
    ]);
    assert_eq!(deliver(call(port, true)).await, Ok(204));
    assert_eq!(deliver(call(port, true)).await, Err(NotDelivered::Answered(302)));
    assert_eq!(deliver(call(port, true)).await, Err(NotDelivered::Answered(503)));
    assert_eq!(deliver(call(port, true)).await, Err(NotDelivered::NotHttp));
    let told = served.join().unwrap();
    let first = told[0].to_lowercase();
    assert!(first.starts_with("post /in?token=s3cret http/1.1\r\n"), "{first}");
    for line in ["marquee-signature: t=1,v1=00", "marquee-delivery: d1", "content-type: application/json"] {
        assert!(first.contains(line), "{line}: {first}");
    }
    assert!(first.ends_with("\r\n\r\n{\"title\":\"x\"}"), "{first}");
    // Nobody listens any more.
    assert_eq!(deliver(call(port, true)).await, Err(NotDelivered::Unreachable));
}

#[tokio::test]
async fn what_is_not_public_is_not_asked() {
    let (port, _served) = receiver(&["HTTP/1.1 204 No Content\r\n\r\n"]);
    for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433"] {
        let hook = Hook::parse(&format!("http://{host}:{port}/")).unwrap();
        let refused = deliver(Call { hook, ..call(port, false) }).await.unwrap_err();
        // A name that this machine does not know leads nowhere either.
        assert!(
            matches!(refused, NotDelivered::Private | NotDelivered::Unknown | NotDelivered::Unreachable),
            "{host}: {refused}"
        );
    }
    assert_eq!(deliver(call(port, false)).await, Err(NotDelivered::Private));
}

#[test]
fn some_answers_are_final() {
    let last = |status| NotDelivered::Answered(status).is_final();
    assert_eq!([301, 400, 404, 410, 422].map(last), [true; 5]);
    assert_eq!([408, 429, 500, 502, 503, 504].map(last), [false; 6]);
    assert!(NotDelivered::Private.is_final() && !NotDelivered::Unreachable.is_final());
}
