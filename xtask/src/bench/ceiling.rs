//! What the load generator itself can do, against a responder in this process that knows its answers by heart.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::answer::Scan;
use super::http::Connection;
use super::load::{Bounds, run};
use crate::Result;

/// The generator's own limits.
pub(super) struct Ceiling {
    /// Small requests and answers in a second, over 8 connections.
    pub(super) requests_per_second: f64,
    /// Megabytes of a pack in a second, over one connection.
    pub(super) megabytes_per_second: f64,
}

const LARGE: usize = 64 << 20;

/// Measures both for about a second each.
pub(super) fn measure() -> Result<Ceiling> {
    let (small, large) = (answer(300), answer(LARGE));
    let address = respond(small, large).map_err(|error| format!("the responder: {error}"))?;
    let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes();
    let load = |connections, count, request: Vec<u8>| {
        run(connections, Bounds { time: Duration::from_secs(1), count }, |_| {
            let mut connection = Connection::open(address).map_err(|error| error.to_string())?;
            let request = request.clone();
            Ok(move |_| {
                let mut scan = Scan::fetch();
                let exchanged = connection.exchange(&[&request], &mut |piece| scan.feed(piece));
                exchanged.map_err(|error| error.to_string())?;
                scan.finish_pack().map(|_| ())
            })
        })
    };
    let requests_per_second = load(8, usize::MAX, request("/small"))?.per_second();
    let megabytes_per_second = load(1, 20, request("/large"))?.per_second() * LARGE as f64 / 1e6;
    Ok(Ceiling { requests_per_second, megabytes_per_second })
}

/// Returns an answer to a fetch with a pack of about this size.
fn answer(size: usize) -> Vec<u8> {
    let mut body = b"000dpackfile\n".to_vec();
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    pack.resize(size, b'x');
    for piece in pack.chunks(65515) {
        body.extend_from_slice(format!("{:04x}\x01", piece.len() + 5).as_bytes());
        body.extend_from_slice(piece);
    }
    body.extend_from_slice(b"0000");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

/// Answers each connection in a thread of its own, as long as the process lives.
fn respond(small: Vec<u8>, large: Vec<u8>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answers: &'static [Vec<u8>; 2] = Box::leak(Box::new([small, large]));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, answers));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, answers: &[Vec<u8>; 2]) {
    let _ = stream.set_nodelay(true);
    let mut buffer = [0; 1024];
    let mut filled = 0;
    // A request is one short write of ours, and none is sent before the answer to the last.
    while let Ok(count @ 1..) = stream.read(&mut buffer[filled..]) {
        filled += count;
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            let answer = &answers[usize::from(buffer.starts_with(b"GET /large"))];
            filled = 0;
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responder_answers_as_a_fetch_is_answered() {
        let address = respond(answer(300), answer(200_000)).unwrap();
        let mut connection = Connection::open(address).unwrap();
        for path in ["/small", "/large", "/small"] {
            let mut scan = Scan::fetch();
            let request = format!("GET {path} HTTP/1.1\r\n\r\n");
            connection.exchange(&[request.as_bytes()], &mut |piece| scan.feed(piece)).unwrap();
            assert_eq!(scan.finish_pack(), Ok(1));
        }
    }
}
