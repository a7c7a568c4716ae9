//! Answering fetches: which way each of them is served.

use std::sync::Arc;

use forge_types::ObjectId;

use super::ObjectInfo;
use super::bundle::Bundle;
use super::framed::Framed;
use super::local::{Order, Prepared, Source, prepare};
use super::request::Fetch;
use super::stream::{PackStream, Sender};
use super::wants::check_wants;
use super::{large, subprocess};
use crate::durable::blocking;
use crate::packs::{Manifest, PackCache, PackSet, Packs};
use crate::process::{Processes, Purpose};
use crate::wire::RefSnapshot;
use crate::{Error, Repository, Result, Storage};

/// Who makes packs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// This process, and `git pack-objects` for large ones.
    #[default]
    InProcess,
    /// `git upload-pack` over a view.
    Subprocess,
}

/// Serves fetches of all repositories. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    processes: Processes,
    storage: Storage,
    packs: Arc<PackCache>,
    transport: Transport,
}

impl Server {
    /// Makes a server.
    pub fn new(processes: Processes, storage: Storage, transport: Transport) -> Self {
        Self { processes, storage, packs: Arc::default(), transport }
    }

    /// Returns the packs of a repository as its manifest names them, opened when they are needed.
    pub fn packs(&self, repository: Repository, manifest: Manifest) -> Packs {
        Packs::listed(repository, manifest, Arc::clone(&self.packs))
    }

    /// Returns who makes packs.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Checks every want and begins to answer. Dropping the stream ends the work.
    ///
    /// # Errors
    /// [`Error::NotOurRef`] for a want that the snapshot does not reach, [`Error::Protocol`] for a request that contradicts
    /// itself, [`Error::Busy`] when too much is served already.
    pub async fn fetch(&self, packs: &Packs, snapshot: &RefSnapshot, fetch: Fetch) -> Result<PackStream> {
        if let Some(name) = fetch.wanted_refs.iter().find(|name| snapshot.id_of(name).is_none()) {
            let shown: String = name.chars().take(100).flat_map(char::escape_default).collect();
            return Err(Error::Protocol(format!("unknown ref {shown}")));
        }
        check_wants(&self.processes, packs, snapshot, fetch.wants()).await?;
        match self.transport {
            Transport::Subprocess => {
                let repository = packs.repository();
                subprocess::serve(&self.processes, &self.storage, repository, snapshot, fetch).await
            }
            Transport::InProcess => self.in_process(packs, snapshot, fetch).await,
        }
    }

    /// Checks that the snapshot reaches these objects.
    ///
    /// # Errors
    /// [`Error::NotOurRef`] for one that it does not reach.
    pub async fn check(&self, packs: &Packs, snapshot: &RefSnapshot, ids: &[ObjectId]) -> Result<()> {
        check_wants(&self.processes, packs, snapshot, ids).await
    }

    /// Answers how large objects are.
    ///
    /// # Errors
    /// [`Error::NotOurRef`] for one that the snapshot does not reach.
    pub async fn object_info(
        &self,
        packs: &Packs,
        snapshot: &RefSnapshot,
        asked: ObjectInfo,
    ) -> Result<Vec<u8>> {
        check_wants(&self.processes, packs, snapshot, asked.ids()).await?;
        let packs = packs.clone();
        blocking(move || asked.answer(&packs.open()?)).await
    }

    /// Begins to send a bundle of all that the repository's own refs reach, if there is a stored pack to copy. Whoever may see
    /// the snapshot may have it.
    ///
    /// # Errors
    /// [`Error::Busy`] if too much is going on.
    pub async fn bundle(&self, packs: &Packs, snapshot: &RefSnapshot) -> Result<Option<PackStream>> {
        if !packs.has_closure() {
            return Ok(None);
        }
        let turn = self.processes.turn(Purpose::Serve).await?;
        let (packs, snapshot) = (packs.clone(), snapshot.clone());
        let Some(bundle) = blocking(move || Bundle::open(&packs.open()?, &snapshot)).await? else {
            return Ok(None);
        };
        let (to, stream) = PackStream::channel(self.processes.limits());
        tokio::spawn(to.run(move |to| async move {
            let _turn = turn;
            send(bundle, to).await
        }));
        Ok(Some(stream))
    }

    async fn in_process(&self, packs: &Packs, snapshot: &RefSnapshot, fetch: Fetch) -> Result<PackStream> {
        let turn = self.processes.turn(Purpose::Serve).await?;
        let work = {
            let (packs, snapshot, fetch) = (packs.clone(), snapshot.clone(), fetch.clone());
            move || begin(&packs.open()?, &snapshot, &fetch)
        };
        match blocking(work).await? {
            Begun::Ready(stream) => Ok(stream),
            Begun::Small(lead, mut source) => {
                let framed = Framed::new(&fetch, lead);
                let (to, stream) = PackStream::channel(self.processes.limits());
                tokio::spawn(to.run(move |to| async move {
                    let _turn = turn;
                    write(framed, to, move |sink| source.write(sink)).await
                }));
                Ok(stream)
            }
            Begun::Large(lead, order) => {
                drop(turn);
                let running =
                    large::start(&self.processes, packs.repository(), &order, fetch.options.no_progress)
                        .await?;
                let framed = Framed::new(&fetch, lead);
                let (to, stream) = PackStream::channel(self.processes.limits());
                tokio::spawn(to.run(move |to| large::pump(running, order, framed, to)));
                Ok(stream)
            }
        }
    }
}

/// An answer, as far as one visit to the blocking pool brought it.
enum Begun {
    Ready(PackStream),
    Small(Vec<u8>, Source),
    Large(Vec<u8>, Order),
}

fn begin(set: &PackSet, snapshot: &RefSnapshot, fetch: &Fetch) -> Result<Begun> {
    match prepare(set, snapshot, fetch)? {
        Prepared::Whole(bytes) => Ok(Begun::Ready(PackStream::ready(bytes))),
        Prepared::Large(lead, order) => Ok(Begun::Large(lead, order)),
        Prepared::Small(lead, mut source) if source.is_tiny()? => {
            let mut framed = Framed::new(fetch, lead);
            let mut whole = Vec::new();
            let mut pack = Vec::new();
            source.write(&mut |bytes| {
                pack.extend_from_slice(bytes);
                Ok(())
            })?;
            framed.data(&pack, |piece| {
                whole.extend_from_slice(&piece);
                Ok::<_, Error>(())
            })?;
            whole.extend_from_slice(&framed.end());
            Ok(Begun::Ready(PackStream::ready(whole)))
        }
        Prepared::Small(lead, source) => Ok(Begun::Small(lead, source)),
    }
}

/// Sends a bundle from the blocking pool, as fast as the client reads it.
async fn send(mut bundle: Bundle, to: Sender) -> Result<()> {
    let runtime = tokio::runtime::Handle::current();
    blocking(move || {
        bundle.write(&mut |piece| {
            if to.is_over() {
                return Err(Error::Busy("the client hung up".into()));
            }
            runtime.block_on(to.send(piece))
        })
    })
    .await
}

/// Writes a pack on the blocking pool, as fast as the client reads it.
async fn write(
    mut framed: Framed,
    to: Sender,
    pack: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + Send + 'static,
) -> Result<()> {
    let runtime = tokio::runtime::Handle::current();
    blocking(move || {
        pack(&mut |bytes| {
            if to.is_over() {
                return Err(Error::Busy("the client hung up".into()));
            }
            framed.data(bytes, |piece| runtime.block_on(to.send(piece)))
        })?;
        runtime.block_on(to.send(framed.end()))
    })
    .await
}
