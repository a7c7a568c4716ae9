//! pkt-lines: what is read is what is written, however the bytes come.

use forge_git::wire::pkt::{self, Packet, Reader};

use crate::support::{choice, expect_refusal, in_pieces, now, packets};

const BUDGET: usize = 4000;

pub(crate) fn run(bytes: &[u8]) {
    let (at, bytes) = choice(bytes);
    let read = packets(bytes, BUDGET);
    let in_pieces = {
        let mut reader = Reader::new(in_pieces(bytes, at.into()), BUDGET);
        let mut packets = Vec::new();
        loop {
            match now(reader.next()) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break Ok(packets),
                Err(error) => break Err(error),
            }
        }
    };
    let packets_read = match (read, in_pieces) {
        (Ok(read), Ok(again)) => {
            assert_eq!(read, again);
            read
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            return expect_refusal(&error);
        }
        (read, again) => panic!("{read:?} is not {again:?}"),
    };
    assert!(bytes.len() <= BUDGET, "more was read than allowed");
    let written = write(&packets_read);
    assert_eq!(written.len(), bytes.len());
    assert_eq!(packets(&written, BUDGET).expect("it was written here"), packets_read);
}

fn write(packets: &[Packet]) -> Vec<u8> {
    let mut out = Vec::new();
    for packet in packets {
        match packet {
            Packet::Data(data) => pkt::write(&mut out, data),
            Packet::Flush => out.extend_from_slice(pkt::FLUSH),
            Packet::Delim => out.extend_from_slice(pkt::DELIM),
            Packet::ResponseEnd => out.extend_from_slice(b"0002"),
        }
    }
    out
}
