//! The loopback's door: a token, a name of this machine, no page of somebody else's.

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Targets, listen};

/// Posts a handshake with these headers and gives the status.
async fn knock(url: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "t", "version": "1" } } })
    .to_string();
    let mut text = format!("POST {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!(
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_speak() {
    let (url, token) = listen(&Targets::default().state()).await;
    let bearer = format!("Bearer {}", token.expose_secret());
    let known = ("Authorization", bearer.as_str());
    assert_eq!(knock(&url, "/mcp", &[known]).await, 200);
    assert_eq!(knock(&url, "/mcp", &[known, ("Origin", "http://localhost:6274")]).await, 200);
    assert_eq!(knock(&url, "/", &[known]).await, 404);
    for wrong in
        [vec![], vec![("Authorization", "Bearer guessed")], vec![("Authorization", "Bearer ")]]
    {
        assert_eq!(knock(&url, "/mcp", &wrong).await, 401, "{wrong:?}");
    }
    assert_eq!(knock(&url, "/mcp", &[known, known]).await, 401);
    // A page that was rebound to this machine names its own host; any page names its origin.
    for wrong in [
        ("Host", "evil.example:80"),
        ("Host", "127.0.0.1:1"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
    ] {
        assert_eq!(knock(&url, "/mcp", &[known, wrong]).await, 403, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_loopback_is_listened_on() {
    let state = Targets::default().state();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let token = marula_mcp::token();
        let bound = marula_mcp::bind(Arc::clone(&state), address.parse().unwrap(), &token).await;
        assert_eq!(bound.err().unwrap().kind(), marula_core::ErrorKind::Refused, "{address}");
    }
    let short = "hush".to_string().into();
    assert!(marula_mcp::bind(state, "127.0.0.1:0".parse().unwrap(), &short).await.is_err());
    assert_ne!(marula_mcp::token().expose_secret(), marula_mcp::token().expose_secret());
}
