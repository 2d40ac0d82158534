//! What runs on the hosts of a scenario: real daemons where there are such, and
//! small servers that misbehave where there are none. All die with the
//! scenario's process namespace. Knows nothing of faults or verdicts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

use crate::network::on;
use crate::scenario::{Answer, Kind, Service, Topology};

pub struct Services {
    folder: PathBuf,
    running: BTreeMap<String, Child>,
}

impl Services {
    /// Starts all of them and waits until each answers.
    pub fn start(topology: &Topology, folder: &Path) -> Result<Self, String> {
        let mut services = Self { folder: folder.to_owned(), running: BTreeMap::new() };
        let mut names = String::new();
        for (name, addresses) in &topology.names {
            for address in addresses {
                let _ = writeln!(names, "{address} {name}");
            }
        }
        services.write("names", &names)?;
        for (name, service) in &topology.services {
            services.start_one(name, service).map_err(|e| format!("service {name}: {e}"))?;
        }
        for (name, service) in &topology.services {
            services.wait_for(service).map_err(|e| format!("service {name}: {e}"))?;
        }
        Ok(services)
    }

    /// Ends one, as a crash would.
    pub fn stop(&mut self, name: &str) -> Result<(), String> {
        let mut child = self.running.remove(name).ok_or_else(|| format!("`{name}` is no daemon that runs"))?;
        child.kill().and_then(|()| child.wait()).map_err(|e| e.to_string())?;
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<String, String> {
        let path = self.folder.join(name);
        std::fs::write(&path, text).map_err(|e| e.to_string())?;
        Ok(path.to_string_lossy().into_owned())
    }

    fn start_one(&mut self, name: &str, service: &Service) -> Result<(), String> {
        let folder = self.folder.to_string_lossy().into_owned();
        let arguments = match service.kind {
            Kind::Dns => {
                // As a daemon it insists on changing groups, which a user namespace forbids.
                let names = format!("--addn-hosts={folder}/names");
                ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"]
                    .into_iter()
                    .chain(["--local=/lab.test/", "--local=/10.in-addr.arpa/", "--local=/d.f.ip6.arpa/", &names])
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            }
            Kind::Web => {
                let path = self.write(&format!("{name}.conf"), &nginx(name, service, &folder))?;
                vec!["nginx".into(), "-e".into(), format!("{folder}/{name}.log"), "-c".into(), path]
            }
            Kind::Ntp => {
                let text = format!("local stratum 2\nallow all\ncmdport 0\npidfile {folder}/{name}.pid\n");
                let path = self.write(&format!("{name}.conf"), &text)?;
                // -x: the machine's clock stays as it is.
                ["chronyd", "-x", "-d", "-u", "root", "-f", &path].map(str::to_owned).to_vec()
            }
            Kind::DnsBroken => return broken_dns(service),
            Kind::TcpBroken => return broken_tcp(service),
        };
        let log = std::fs::File::create(self.folder.join(format!("{name}.out"))).map_err(|e| e.to_string())?;
        let child = Command::new("ip")
            .args(["netns", "exec", &service.host])
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|e| e.to_string())?)
            .stderr(log)
            .spawn()
            .map_err(|e| e.to_string())?;
        self.running.insert(name.to_owned(), child);
        Ok(())
    }

    /// Until it answers on its own loopback, for ten seconds at most.
    fn wait_for(&self, service: &Service) -> Result<(), String> {
        let ports: Vec<u16> = match service.kind {
            Kind::Dns => vec![53],
            Kind::Web => service.sites.iter().map(|s| s.port).collect(),
            Kind::Ntp => return on(&service.host, ntp_answers).join().unwrap_or_else(|_| Err("no thread".into())),
            // Bound before start_one returned.
            Kind::DnsBroken | Kind::TcpBroken => vec![],
        };
        let waiting = on(&service.host, move || {
            let until = Instant::now() + Duration::from_secs(10);
            for port in ports {
                while TcpStream::connect(("127.0.0.1", port)).is_err() {
                    if Instant::now() > until {
                        return Err(format!("port {port} stays closed"));
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            }
            Ok(())
        });
        let result = waiting.join().unwrap_or_else(|_| Err("no thread".into()));
        result.map_err(|e| format!("{e}; {}", self.logs()))
    }

    fn logs(&self) -> String {
        let read = |name: &String| std::fs::read_to_string(self.folder.join(format!("{name}.out"))).unwrap_or_default();
        self.running.keys().map(read).collect::<Vec<_>>().join("; ")
    }
}

fn nginx(name: &str, service: &Service, folder: &str) -> String {
    let mut text = format!(
        "daemon off;\nuser root;\nworker_processes 1;\npid {folder}/{name}.pid;\nevents {{ worker_connections 256; }}\n\
         http {{\naccess_log off;\n"
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "{kind}_temp_path {folder};");
    }
    for site in &service.sites {
        let port = site.port;
        let ssl = if site.certificate.is_some() { " ssl" } else { "" };
        let _ = writeln!(text, "server {{ listen {port}{ssl}; listen [::]:{port}{ssl};");
        if let Some(certificate) = &site.certificate {
            let _ = writeln!(text, "ssl_certificate {folder}/{certificate}.pem;");
            let _ = writeln!(text, "ssl_certificate_key {folder}/{certificate}.key;");
        }
        let _ = writeln!(text, "location / {{ return {} \"answer\\n\"; }} }}", site.status.unwrap_or(200));
    }
    text + "}\n"
}

fn ntp_answers() -> Result<(), String> {
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    socket.set_read_timeout(Some(Duration::from_millis(50))).map_err(|e| e.to_string())?;
    let mut request = [0u8; 48];
    request[0] = 0x23;
    for _ in 0..200 {
        let sent = socket.send_to(&request, "127.0.0.1:123");
        if sent.is_ok() && socket.recv(&mut [0; 128]).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err("chronyd does not answer".into())
}

/// Both families, as a server of today listens.
fn any(port: u16) -> SocketAddr {
    (Ipv6Addr::UNSPECIFIED, port).into()
}

fn broken_dns(service: &Service) -> Result<(), String> {
    let answer = service.answer.unwrap_or(Answer::Silent);
    let host = service.host.clone();
    let bind = on(&host, move || Ok::<_, std::io::Error>((UdpSocket::bind(any(53))?, TcpListener::bind(any(53))?)));
    let (udp, tcp) = bind.join().map_err(|_| "no thread")?.map_err(|e| e.to_string())?;
    thread::spawn(move || {
        let mut query = [0u8; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut query) {
            if let Some(reply) = dns_reply(&query[..length], answer) {
                let _ = udp.send_to(&reply, from);
            }
        }
    });
    thread::spawn(move || {
        for mut stream in tcp.incoming().flatten() {
            thread::spawn(move || {
                let mut query = [0u8; 4096];
                while let Ok(length @ 3..) = stream.read(&mut query) {
                    if let Some(reply) = dns_reply(&query[2..length], answer) {
                        let size = u16::try_from(reply.len()).unwrap_or(0).to_be_bytes();
                        let _ = stream.write_all(&[&size, reply.as_slice()].concat());
                    }
                }
            });
        }
    });
    Ok(())
}

/// The query turned round, with the rcode and no answers.
fn dns_reply(query: &[u8], answer: Answer) -> Option<Vec<u8>> {
    let rcode = match answer {
        Answer::Silent | Answer::Reset => return None,
        Answer::Garbage => return Some(vec![0xff; 7]),
        Answer::Servfail => 2,
        Answer::Refused => 5,
    };
    let header = query.get(..12)?;
    // The question: labels to the root, then type and class.
    let mut end = 12;
    while let Some(&length @ 1..) = query.get(end) {
        end += 1 + usize::from(length);
    }
    let question = query.get(12..end + 5)?;
    let mut reply = vec![header[0], header[1], 0x80 | (header[2] & 0x01), 0x80 | rcode, 0, 1, 0, 0, 0, 0, 0, 0];
    reply.extend_from_slice(question);
    Some(reply)
}

fn broken_tcp(service: &Service) -> Result<(), String> {
    let answer = service.answer.unwrap_or(Answer::Silent);
    let port = service.port.ok_or("no port")?;
    let bind = on(&service.host, move || TcpListener::bind(any(port)));
    let listener = bind.join().map_err(|_| "no thread")?.map_err(|e| e.to_string())?;
    thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            match answer {
                Answer::Reset => {
                    // Reads first, so that the reset follows the request.
                    let _ = stream.read(&mut [0; 512]);
                    let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
                    let _ = setsockopt(&stream, sockopt::Linger, &linger);
                }
                Answer::Garbage => drop(stream.write_all(&[0xff; 64])),
                _ => held.push(stream),
            }
        }
    });
    Ok(())
}
