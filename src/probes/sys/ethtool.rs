//! Speed and duplex of an interface by the ethtool ioctl (needs no privilege).
//! Owns the system call and its structures (include/uapi/linux/ethtool.h). Must
//! never know what the figures mean.
//!
//! Not sysfs: `/sys/class/net` shows the namespace of its mount, which may be
//! another than this process's.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const ETHTOOL_GLINKSETTINGS: u32 = 0x4c;
const SPEED_UNKNOWN: u32 = u32::MAX;

/// struct ethtool_link_settings with room for the three link mode masks of
/// which a kernel may have 127 words each (the count is a signed byte).
#[repr(C)]
struct LinkSettings {
    cmd: u32,
    speed: u32,
    duplex: u8,
    port: u8,
    phy_address: u8,
    autoneg: u8,
    mdio_support: u8,
    eth_tp_mdix: u8,
    eth_tp_mdix_ctrl: u8,
    link_mode_masks_nwords: i8,
    transceiver: u8,
    master_slave_cfg: u8,
    master_slave_state: u8,
    rate_matching: u8,
    reserved: [u32; 7],
    link_mode_masks: [u32; 3 * 127],
}

/// struct ifreq as SIOCETHTOOL reads it: a name and a pointer, padded to the
/// size of the kernel's union.
#[repr(C)]
struct Request {
    name: [u8; 16],
    data: *mut LinkSettings,
    pad: [u8; 24 - size_of::<*mut LinkSettings>()],
}

mod call {
    nix::ioctl_readwrite_bad!(ethtool, super::SIOCETHTOOL, super::Request);
}

/// What the driver says of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Mb/s.
    pub speed: Option<u32>,
    /// Full duplex, or half.
    pub full_duplex: Option<bool>,
}

/// A socket to ask through; it belongs to the namespace it was made in.
#[derive(Debug)]
pub struct Ethtool(OwnedFd);

impl Ethtool {
    /// Opens the socket. Fails only for want of file descriptors or memory.
    pub fn open() -> Result<Self, Errno> {
        socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).map(Self)
    }

    /// Asks the driver of the interface of that name; nothing where the driver
    /// does not know (EOPNOTSUPP) or the interface is gone (ENODEV).
    pub fn settings(&self, name: &str) -> Settings {
        self.ask(name).unwrap_or_default()
    }

    fn ask(&self, name: &str) -> Result<Settings, Errno> {
        let mut settings = LinkSettings {
            cmd: ETHTOOL_GLINKSETTINGS,
            speed: 0,
            duplex: 0,
            port: 0,
            phy_address: 0,
            autoneg: 0,
            mdio_support: 0,
            eth_tp_mdix: 0,
            eth_tp_mdix_ctrl: 0,
            link_mode_masks_nwords: 0,
            transceiver: 0,
            master_slave_cfg: 0,
            master_slave_state: 0,
            rate_matching: 0,
            reserved: [0; 7],
            link_mode_masks: [0; 3 * 127],
        };
        // The first call tells, as a negative number, how many words this
        // kernel's masks have; the second asks with that number.
        self.exchange(name, &mut settings)?;
        settings.cmd = ETHTOOL_GLINKSETTINGS;
        settings.link_mode_masks_nwords = match settings.link_mode_masks_nwords {
            n @ -127..0 => -n,
            _ => return Err(Errno::EOPNOTSUPP),
        };
        self.exchange(name, &mut settings)?;
        Ok(Settings {
            speed: (settings.speed != SPEED_UNKNOWN && settings.speed != 0).then_some(settings.speed),
            full_duplex: match settings.duplex {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
        })
    }

    fn exchange(&self, name: &str, settings: &mut LinkSettings) -> Result<(), Errno> {
        let mut request = Request { name: [0; 16], data: settings, pad: [0; _] };
        if name.len() >= request.name.len() {
            return Err(Errno::ENODEV);
        }
        request.name[..name.len()].copy_from_slice(name.as_bytes());
        // SAFETY: the descriptor is open; `request` has the size of struct ifreq
        // and outlives the call, and its pointer leads to a structure that is
        // larger than any the kernel writes for ETHTOOL_GLINKSETTINGS: 48 bytes
        // and three masks of at most 127 words.
        unsafe { call::ethtool(self.0.as_raw_fd(), &raw mut request) }.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_the_kernels_sizes() {
        assert_eq!(size_of::<LinkSettings>(), 48 + 3 * 127 * 4);
        assert_eq!(size_of::<Request>(), 40);
    }

    #[test]
    fn what_has_no_driver_has_no_speed() {
        let ethtool = Ethtool::open().unwrap();
        assert_eq!(ethtool.settings("lo"), Settings::default());
        assert_eq!(ethtool.settings("no-such-link"), Settings::default());
        assert_eq!(ethtool.settings("a-name-that-is-far-too-long"), Settings::default());
    }
}
