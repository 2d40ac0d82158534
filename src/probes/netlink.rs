//! Asking the kernel over a netlink socket (RFC 3549): one request, its answers.
//!
//! Owns framing, sequence numbers and errors. Must never know what a message
//! says: that is for those who ask.
//!
//! Answers are handed over one by one, so that a table of a million routes never
//! stands in memory, and an answer nobody can decode costs that answer only. The
//! calls belong on a thread that may wait: the kernel carries a request out
//! while it is being sent, and may have to wait for another's lock.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, connect, recv, send, socket,
};

/// Length of struct nlmsghdr.
const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 0x01;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Types below this are netlink's own (NLMSG_MIN_TYPE).
const FIRST_TYPE: u16 = 16;
/// The kernel's own limit of a datagram is 32 KiB.
const BUFFER: usize = 64 * 1024;

/// A message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framed<'a> {
    /// Message type.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// Sequence number of the request it answers.
    pub sequence: u32,
    /// Its body.
    pub body: &'a [u8],
}

/// The messages of a datagram; ends at the first malformed one.
pub(super) fn framed(datagram: &[u8]) -> impl Iterator<Item = Framed<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let header: &[u8; HEADER] = rest.first_chunk()?;
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Framed {
            kind: u16::from_ne_bytes([header[4], header[5]]),
            flags: u16::from_ne_bytes([header[6], header[7]]),
            sequence: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
            body,
        })
    })
}

/// A socket for requests.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    buffer: Box<[u8]>,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket of that protocol.
    pub(super) fn open(protocol: SockProtocol) -> io::Result<Self> {
        let socket = listener(protocol, 0)?;
        connect(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        Ok(Self { socket, buffer: vec![0; BUFFER].into(), sequence: 0 })
    }

    /// Asks for a whole table and hands over each entry. Returns whether the
    /// table changed meanwhile, so that entries may be missing or double.
    ///
    /// # Errors
    /// What the kernel answered, by its errno.
    pub(super) fn dump(&mut self, kind: u16, body: &[u8], mut each: impl FnMut(u16, &[u8])) -> io::Result<bool> {
        self.send(kind, NLM_F_REQUEST | NLM_F_DUMP, body)?;
        let mut interrupted = false;
        loop {
            let length = self.receive()?;
            for message in framed(&self.buffer[..length]).filter(|m| m.sequence == self.sequence) {
                interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
                match message.kind {
                    NLMSG_DONE | NLMSG_ERROR => return errno(message.body).map(|()| interrupted),
                    FIRST_TYPE.. => each(message.kind, message.body),
                    _ => {}
                }
            }
        }
    }

    /// Asks for one entry and hands it over.
    ///
    /// # Errors
    /// What the kernel answered, by its errno.
    pub(super) fn get<T>(&mut self, kind: u16, body: &[u8], read: impl FnOnce(u16, &[u8]) -> T) -> io::Result<T> {
        self.send(kind, NLM_F_REQUEST, body)?;
        loop {
            let length = self.receive()?;
            for message in framed(&self.buffer[..length]).filter(|m| m.sequence == self.sequence) {
                match message.kind {
                    NLMSG_DONE | NLMSG_ERROR => {
                        errno(message.body)?;
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    FIRST_TYPE.. => return Ok(read(message.kind, message.body)),
                    _ => {}
                }
            }
        }
    }

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut datagram = Vec::with_capacity(HEADER + body.len());
        datagram.extend(((HEADER + body.len()) as u32).to_ne_bytes());
        datagram.extend(kind.to_ne_bytes());
        datagram.extend(flags.to_ne_bytes());
        datagram.extend(self.sequence.to_ne_bytes());
        datagram.extend([0; 4]);
        datagram.extend(body);
        send(self.socket.as_raw_fd(), &datagram, MsgFlags::empty())?;
        Ok(())
    }

    /// Takes the next datagram. The kernel has put it there before `send`
    /// returned, or puts the next part of a table there while this one is taken:
    /// an empty socket means that no answer will come.
    fn receive(&mut self) -> io::Result<usize> {
        Ok(recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT)?.min(self.buffer.len()))
    }
}

/// A socket that hears what is sent to those multicast groups (a bit each, the
/// first 31 of them); it does not block.
///
/// # Errors
/// The protocol is not there, not permitted, or there are no descriptors left.
pub(super) fn listener(protocol: SockProtocol, groups: u32) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(socket)
}

/// The result that NLMSG_ERROR and NLMSG_DONE carry: zero or a negative errno.
fn errno(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map(|b| i32::from_ne_bytes(*b)) {
        Some(code) if code < 0 => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        _ => Ok(()),
    }
}

/// The errno of a refusal, where there is one.
pub(super) fn refusal(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn messages_follow_each_other_on_four_byte_boundaries() {
        let datagram = [message(16, b"abc"), message(17, b""), message(18, b"defg")].concat();
        let seen: Vec<_> = framed(&datagram).map(|m| (m.kind, m.body)).collect();
        assert_eq!(seen, [(16, &b"abc"[..]), (17, b""), (18, b"defg")]);
    }

    #[test]
    fn a_length_beyond_the_datagram_ends_it() {
        let mut datagram = [message(16, b"abcd"), message(17, b"efgh")].concat();
        datagram.pop();
        assert_eq!(framed(&datagram).count(), 1);
        datagram[0] = 3;
        assert_eq!(framed(&datagram).count(), 0);
    }

    #[test]
    fn results_are_negative_errnos() {
        assert!(errno(&0_i32.to_ne_bytes()).is_ok());
        assert!(errno(b"").is_ok());
        assert_eq!(errno(&(-101_i32).to_ne_bytes()).unwrap_err().raw_os_error(), Some(101));
        assert!(errno(&i32::MIN.to_ne_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_datagram_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(framed(&bytes).map(|m| m.body.len() + HEADER).sum::<usize>() <= bytes.len());
        }
    }
}
