//! One question to one name server: a message there and a message back, over UDP or TCP
//! (RFC 1035 section 4.2).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::{TcpStream, UdpSocket};

use super::super::own_fault;
use super::error::NameError;
use super::resolv_conf::ResolvConf;

/// The size of a UDP reply that is asked for where the query bears EDNS, as glibc does.
const UDP_PAYLOAD: u16 = 1_200;

/// The largest DNS message, in bytes.
const MOST_BYTES: usize = 65_535;

/// The most CNAME records that are followed within one reply.
const MOST_ALIASES: usize = 16;

/// The length of a message's header, in bytes.
const HEADER: usize = 12;

/// FORMERR, which old servers reply to EDNS.
const FORMERR: u16 = 1;

/// What a name server replied.
#[derive(Debug)]
pub(super) struct Reply {
    /// The code of the reply (RCODE).
    pub(super) code: u16,
    /// Whether it was cut short (TC).
    truncated: bool,
    /// Whether the server knows anything about the name: it has authority, or asks others.
    pub(super) lame: bool,
    /// The addresses of the name, and of the names that it is an alias of.
    pub(super) addresses: Vec<IpAddr>,
    /// All records of the answer.
    pub(super) records: Vec<Record>,
}

/// A question as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) kind: RecordType,
}

impl Question {
    /// Asks `server` once; waits for its reply without a limit. The whole of what was cut short is
    /// waited for no longer than `for_tcp`, so that what came can still be used.
    pub(super) async fn ask(
        &self,
        server: SocketAddr,
        conf: &ResolvConf,
        for_tcp: Duration,
    ) -> Result<Reply, NameError> {
        let reply = self.ask_with(server, conf, conf.edns0, for_tcp).await?;
        if reply.code == FORMERR && conf.edns0 {
            return self.ask_with(server, conf, false, for_tcp).await;
        }
        Ok(reply)
    }

    async fn ask_with(
        &self,
        server: SocketAddr,
        conf: &ResolvConf,
        edns: bool,
        for_tcp: Duration,
    ) -> Result<Reply, NameError> {
        let id = fastrand::u16(..);
        let query = self.message(id, conf, edns)?;
        if conf.use_vc {
            return self.over_tcp(server, id, &query).await;
        }
        let reply = self.over_udp(server, id, &query).await?;
        if !reply.truncated {
            return Ok(reply);
        }
        let whole = tokio::time::timeout(for_tcp, self.over_tcp(server, id, &query));
        match whole.await.unwrap_or(Err(NameError::Silent)) {
            Ok(whole) => Ok(whole),
            Err(NameError::Own(error)) => Err(NameError::Own(error)),
            // What came is better than nothing.
            Err(_) if !reply.records.is_empty() => Ok(reply),
            Err(_) => Err(NameError::Truncated),
        }
    }

    fn message(&self, id: u16, conf: &ResolvConf, edns: bool) -> Result<Vec<u8>, NameError> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = conf.trust_ad;
        message.add_query(Query::query(self.name.clone(), self.kind));
        if edns {
            let mut record = Edns::new();
            record.set_max_payload(UDP_PAYLOAD);
            message.set_edns(record);
        }
        message.to_vec().map_err(|_| NameError::Unwritable)
    }

    async fn over_udp(
        &self,
        server: SocketAddr,
        id: u16,
        query: &[u8],
    ) -> Result<Reply, NameError> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let failed = |error| failed(error, server);
        let socket = own_fault::when_files_are_free(|| UdpSocket::bind((any, 0)));
        let open = socket.await.map_err(failed)?;
        let socket = &open.socket;
        // From then on the kernel tells when nothing listens there, and lets nobody else reply.
        socket.connect(server).await.map_err(failed)?;
        socket.send(query).await.map_err(failed)?;
        loop {
            // That nothing listens there comes as an error alone, without anything to read.
            let interest = Interest::READABLE | Interest::ERROR;
            if socket.ready(interest).await.map_err(failed)?.is_error() {
                if let Some(error) = socket.take_error().map_err(failed)? {
                    return Err(failed(error));
                }
                let over = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                let _no_more = socket.try_io(Interest::ERROR, over);
            }
            let mut buffer = Vec::with_capacity(MOST_BYTES);
            match socket.try_recv_buf(&mut buffer) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(failed(error)),
            }
            // A late reply to another question is not this one's.
            if let Some(reply) = self.read(id, &buffer)? {
                return Ok(reply);
            }
        }
    }

    async fn over_tcp(
        &self,
        server: SocketAddr,
        id: u16,
        query: &[u8],
    ) -> Result<Reply, NameError> {
        let failed = |error| failed(error, server);
        let stream = own_fault::when_files_are_free(|| TcpStream::connect(server));
        let mut open = stream.await.map_err(failed)?;
        let stream = &mut open.socket;
        let length = u16::try_from(query.len()).map_err(|_| NameError::Unwritable)?;
        let framed = [&length.to_be_bytes(), query].concat();
        stream.write_all(&framed).await.map_err(failed)?;
        let length = stream.read_u16().await.map_err(failed)?;
        let mut reply = Vec::new();
        let mut rest = stream.take(length.into());
        rest.read_to_end(&mut reply).await.map_err(failed)?;
        self.read(id, &reply)?.ok_or(NameError::Garbled)
    }

    /// Reads a reply; `None` for one to another question.
    pub(super) fn read(&self, id: u16, bytes: &[u8]) -> Result<Option<Reply>, NameError> {
        let Some(&[id_high, id_low, high, low, _, questions, _, answers, ..]) =
            bytes.first_chunk::<HEADER>()
        else {
            return Err(NameError::Garbled);
        };
        if u16::from_be_bytes([id_high, id_low]) != id {
            return Ok(None);
        }
        let (is_reply, truncated) = (high & 0x80 != 0, high & 0x02 != 0);
        let (authoritative, recursive) = (high & 0x04 != 0, low & 0x80 != 0);
        if !is_reply {
            return Err(NameError::Garbled);
        }
        let code = u16::from(low & 0x0f);
        let answers = u16::from_be_bytes([bytes[6], answers]);
        let mut reply = Reply {
            code,
            truncated,
            lame: !authoritative && !recursive && answers == 0,
            addresses: Vec::new(),
            records: Vec::new(),
        };
        // A server that fails need not repeat the question.
        if code != 0 && questions == 0 {
            return Ok(Some(reply));
        }
        // Of the whole message, because names may point back into it.
        let mut decoder = BinDecoder::new(bytes);
        let _header = decoder.read_slice(HEADER);
        let asked = Query::read(&mut decoder).map_err(|_| NameError::Garbled)?;
        let same = questions == 1
            && asked.name.eq_ignore_root(&self.name)
            && asked.query_type == self.kind
            && asked.query_class == DNSClass::IN;
        if !same {
            return Err(NameError::Garbled);
        }
        let mut records = Vec::new();
        for _ in 0..answers {
            match Record::read(&mut decoder) {
                Ok(record) => records.push(record),
                // The last record of a reply that was cut short may be cut itself.
                Err(_) if truncated => break,
                Err(_) => return Err(NameError::Garbled),
            }
        }
        reply.addresses = addresses(&self.name, &records);
        reply.records = records;
        Ok(Some(reply))
    }
}

/// The addresses of `name` among `records`, aliases followed.
fn addresses(name: &Name, records: &[Record]) -> Vec<IpAddr> {
    let mut names = vec![name];
    for _ in 0..MOST_ALIASES {
        let known = names.len();
        for record in records {
            if let RData::CNAME(target) = &record.data
                && names.iter().any(|name| name.eq_ignore_root(&record.name))
                && !names.iter().any(|name| name.eq_ignore_root(&target.0))
            {
                names.push(&target.0);
            }
        }
        if names.len() == known || names.len() > MOST_ALIASES {
            break;
        }
    }
    let mut found = Vec::new();
    for record in records {
        let address = match &record.data {
            RData::A(address) => IpAddr::from(address.0),
            RData::AAAA(address) => IpAddr::from(address.0),
            _ => continue,
        };
        let owned = names.iter().any(|name| name.eq_ignore_root(&record.name));
        if owned && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// A server that cannot be reached, or a want of this machine.
fn failed(error: io::Error, server: SocketAddr) -> NameError {
    if own_fault::of(&error, server).is_some() {
        NameError::Own(error)
    } else {
        NameError::Unreachable
    }
}
