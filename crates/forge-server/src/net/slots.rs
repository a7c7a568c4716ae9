//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{AddressRange, Limits};

/// Places for connections.
#[derive(Debug)]
pub struct Slots {
    all: Arc<Semaphore>,
    per_address: u32,
    exempt: Vec<AddressRange>,
    taken: Mutex<HashMap<IpAddr, u32>>,
}

/// A place for one connection, free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _all: OwnedSemaphorePermit,
    counted: Option<(Arc<Slots>, IpAddr)>,
}

impl Slots {
    /// Makes as many places as the limits say. Addresses in `exempt` stand for many clients and are not counted.
    pub fn new(limits: &Limits, exempt: Vec<AddressRange>) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(limits.connections as usize)),
            per_address: limits.connections_per_address,
            exempt,
            taken: Mutex::default(),
        })
    }

    /// Waits until there is a place at all; until then connections wait in the kernel.
    pub(super) async fn any(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        self.all.clone().acquire_owned().await.ok()
    }

    /// Gives the place to an address, unless it has enough already.
    pub(super) fn assign(self: &Arc<Self>, place: OwnedSemaphorePermit, address: IpAddr) -> Option<Slot> {
        if address.is_loopback() || self.exempt.iter().any(|range| range.contains(address)) {
            return Some(Slot { _all: place, counted: None });
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Slot { _all: place, counted: Some((self.clone(), address)) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some((slots, address)) = self.counted.take() else { return };
        let mut taken = slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(connections: u32, connections_per_address: u32) -> Arc<Slots> {
        let limits = crate::config::Config::default().limits;
        Slots::new(
            &Limits { connections, connections_per_address, ..limits },
            vec!["10.0.0.0/8".parse().unwrap()],
        )
    }

    async fn take(slots: &Arc<Slots>, address: &str) -> Option<Slot> {
        let place = slots.any().await?;
        slots.assign(place, address.parse().unwrap())
    }

    #[tokio::test]
    async fn one_address_cannot_take_more_than_its_share() {
        let slots = slots(10, 2);
        let first = take(&slots, "192.0.2.1").await.unwrap();
        let _second = take(&slots, "192.0.2.1").await.unwrap();
        assert!(take(&slots, "192.0.2.1").await.is_none());
        assert!(take(&slots, "192.0.2.2").await.is_some());
        drop(first);
        assert!(take(&slots, "192.0.2.1").await.is_some());
    }

    #[tokio::test]
    async fn loopback_and_trusted_proxies_stand_for_many() {
        let slots = slots(10, 0);
        assert!(take(&slots, "127.0.0.1").await.is_some());
        assert!(take(&slots, "10.1.2.3").await.is_some());
        assert!(take(&slots, "192.0.2.1").await.is_none());
    }

    #[tokio::test]
    async fn places_come_back_also_when_the_address_was_refused() {
        let slots = slots(1, 1);
        let held = take(&slots, "192.0.2.1").await.unwrap();
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), slots.any()).await.is_err());
        drop(held);
        for _ in 0..3 {
            assert!(take(&slots, "192.0.2.1").await.is_some());
        }
        assert!(slots.taken.lock().unwrap().is_empty());
    }
}
