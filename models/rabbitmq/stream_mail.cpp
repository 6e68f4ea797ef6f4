// What nodes tell one another about a stream, and what is done when it has come in.
#include <algorithm>

#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/stream.hpp"

namespace models::rabbitmq {
namespace {

/// As they are numbered: 1 is the first, 0 is none.
template <class Id>
Id numbered(std::vector<std::string>& names, const std::string& name) {
  auto at = std::find(names.begin(), names.end(), name);
  if (name.empty() || at == names.end()) at = names.insert(names.end(), name);
  return Id{static_cast<decltype(Id::value)>(at - names.begin() + 1)};
}

}  // namespace

WriterId Stream::writer_named(const std::string& name) {
  return numbered<WriterId>(writers_, name);
}

ReferenceId Stream::reference_named(const std::string& name) {
  return numbered<ReferenceId>(references_, name);
}

Ref<StreamMail> Stream::mail(StreamMail::What what) {
  Ref<StreamMail> out = mails_.take();
  out->what = what;
  out->stream = this;
  out->epoch = epoch_;
  out->session = nullptr;
  out->confirm = false;
  return out;
}

void Stream::post(const Broker& from, const Broker& to, Ref<StreamMail> mail, std::uint32_t bytes) {
  mail->from = from.index();
  mail->at = to.index();
  if (&from == &to) return take(*mail);
  struct Arrive {
    Ref<StreamMail> mail;
    void operator()() const { mail->stream->take(*mail); }
  };
  // What does not arrive is done again when a link comes up, or a leader is elected.
  Broker& sender = cluster_.broker(mail->from);
  Broker& receiver = cluster_.broker(mail->at);
  cluster_.send(sender, receiver, bytes, Arrive{std::move(mail)});
}

Stream::Member* Stream::member_at(const Broker& node) {
  return const_cast<Member*>(static_cast<const Stream*>(this)->member_at(node));
}

const Stream::Member* Stream::member_at(const Broker& node) const {
  for (const auto& member : members_) {
    if (&member->node == &node) return member.get();
  }
  return nullptr;
}

void Stream::take(StreamMail& m) {
  using What = StreamMail::What;
  View& view = views_[m.at];
  Member* const member = member_at(cluster_.broker(m.at));
  switch (m.what) {
    case What::write:
      // What is for its predecessor is sent again, in its order, by who has heard of the election.
      if (member->role == Role::writer && member->epoch == m.epoch) accept(*member, m);
      return;
    case What::store:
      if (member->role == Role::writer) accept(*member, m);
      return;
    case What::query: {
      if (member->role != Role::writer) return;
      Ref<StreamMail> out = mail(What::queried);
      out->session = m.session;
      out->session_epoch = m.session_epoch;
      out->offset = member->log.stored(m.stored.reference).value_or(-1);
      return post(member->node, cluster_.broker(m.from), std::move(out));
    }
    case What::queried:
      if (Reader* const reader = reader_of(m.at, *m.session, m.session_epoch); reader && !reader->placed) {
        attach(*member, *reader, m.offset < 0 ? std::nullopt : std::optional(m.offset + 1));
        dispatch(*member, *reader);
      }
      return;
    case What::written:
      return answered(m.at, *m.session, m.session_epoch, m.tag);
    case What::leader_is:
      if (m.epoch <= view.epoch) return;
      view.epoch = m.epoch;
      view.leader = static_cast<std::size_t>(m.offset);
      return resend(m.at);
    case What::stop:
      if (m.epoch < member->epoch) return;
      member->epoch = m.epoch;
      rest(*member, Role::stopped);
      {
        Ref<StreamMail> out = mail(What::stopped);
        out->epoch = m.epoch;
        out->tail = member->log.tail();
        out->node = member->node.index();
        return post(member->node, cluster_.broker(m.from), std::move(out));
      }
    case What::stopped:
      return stopped(m);
    case What::lead:
      if (m.epoch < member->epoch) return;
      if (member->role != Role::writer || member->epoch != m.epoch) become_writer(*member, m.epoch);
      {
        Ref<StreamMail> out = mail(What::leading);
        out->epoch = m.epoch;
        return post(member->node, cluster_.broker(m.from), std::move(out));
      }
    case What::leading:
      if (phase_ != Phase::starting || m.epoch != epoch_) return;
      phase_ = Phase::running;
      return settle_roles(m.at);
    case What::follow:
      if (m.epoch < member->epoch || (member->role == Role::replica && member->epoch == m.epoch)) return;
      return become_replica(*member, m.epoch, static_cast<std::size_t>(m.offset));
    case What::attach:
      if (member->role == Role::writer && member->epoch == m.epoch) attach_follower(*member, m);
      return;
    case What::attached:
      if (member->role == Role::replica && member->epoch == m.epoch && member->request == m.tag)
        attached(*member, m);
      return;
    case What::chunk:
      if (member->role == Role::replica && member->epoch == m.epoch && member->request == m.tag)
        copy(*member, m);
      return;
    case What::copied: {
      if (member->role != Role::writer || member->epoch != m.epoch) return;
      for (Follower& follower : member->followers) {
        if (members_[follower.member]->node.index() != m.from || follower.request != m.tag) continue;
        follower.has = std::max(follower.has, m.offset);
        if (follower.under_way > 0) --follower.under_way;
        feed(*member, follower);
      }
      return commit(*member);
    }
    case What::committed:
      if (member->role != Role::replica || member->epoch != m.epoch) return;
      member->committed = std::max(member->committed, std::min(m.committed, member->log.end()));
      return dispatch_all(*member);
    case What::join:
      return join(m);
    case What::leave:
      return part(*m.session, m.session_epoch, m.stored.reference);
    case What::activate:
      if (Reader* const reader = reader_of(m.at, *m.session, m.session_epoch); reader && !reader->active) {
        reader->active = true;
        place(m.at, *reader);
      }
      return;
  }
}

}  // namespace models::rabbitmq
