#include "models/apps/service.hpp"

#include <algorithm>
#include <utility>

#include "sim/assert.hpp"

namespace models {
namespace {

/// After a failure, before it is tried again.
constexpr sim::Duration kRetry = std::chrono::milliseconds{100};

/// The reaction that a timer has put off is noted beside the one that set the timer.
constexpr std::uint32_t kLater = Database::kMostReactions / 2;

ProducerOptions workload_of(const ServiceOptions& service) {
  ProducerOptions workload;
  workload.name = service.name;
  workload.arrivals = service.arrivals;
  workload.closed_loop = service.closed_loop;
  workload.messages = service.messages;
  workload.keys = service.keys;
  return workload;
}

}  // namespace

ServicePlan::ServicePlan(const ServiceOptions& o, FactBook& b, Database& d, EntityId e)
    : options(o), book(b), database(d), entity(e), workload(workload_of(o)) {
  if (!o.begins.empty()) begins = book.type(o.begins);
  MQLAB_ASSERT(o.reactions.size() <= kLater, "a service has too many reactions");
  for (const ReactionOptions& given : o.reactions) {
    Reaction& reaction = reactions.emplace_back();
    reaction.on = book.type(given.on);
    if (!given.then.empty()) reaction.then = book.type(given.then);
    if (!given.otherwise.empty()) reaction.otherwise = book.type(given.otherwise);
    reaction.fails = given.fails;
    reaction.after = given.after;
    for (const std::string& name : given.unless) reaction.unless |= set_of(book.type(name));
    for (const std::string& name : given.needs) reaction.needs |= set_of(book.type(name));
  }
}

Service::Service(Context& context, Node& node, const ServicePlan& plan, std::uint32_t index,
                 const SenderMaker& make_sender)
    : context_(context),
      node_(node),
      plan_(plan),
      index_(index),
      lane_(context.entities.add_lane(node.entity(), plan.database.node().entity())),
      client_(node, plan.database, *this),
      source_(context.simulation.seed(), node.name(), plan.workload),
      outcome_draws_(
          sim::stream_key(context.simulation.seed(), "service/" + plan.options.name + "/outcomes")),
      delay_draws_(sim::stream_key(context.simulation.seed(), "service/" + plan.options.name + "/delays")),
      think_draws_(sim::stream_key(context.simulation.seed(), "service/" + plan.options.name + "/reads")),
      sent_step_(context.steps.cell(node.entity(), Step::transaction_sent)),
      committed_step_(context.steps.cell(node.entity(), Step::transaction_committed)),
      acknowledged_step_(context.steps.cell(node.entity(), Step::event_acknowledged)),
      prepare_step_(context.steps.cell(node.entity(), Step::prepare_sent)),
      votes_step_(context.steps.cell(node.entity(), Step::votes_collected)),
      decision_step_(context.steps.cell(node.entity(), Step::decision_recorded)),
      asked_step_(context.steps.cell(node.entity(), Step::participant_asked)),
      told_step_(context.steps.cell(node.entity(), Step::participant_told)),
      arrival_timer_(context.simulation, node, [this] { on_arrival(); }),
      due_timer_(context.simulation, node, [this] { fire_timers(); }) {
  if (make_sender) sender_ = make_sender(node, *this);
  DatabaseUser& self = *this;
  if (plan.view != nullptr) view_client_ = std::make_unique<DatabaseClient>(node, *plan.view, self);
  if (plan.queue != nullptr) queue_client_ = std::make_unique<DatabaseClient>(node, *plan.queue, self);
  if (node.program() == nullptr) node.set_program(*this);
}

void Service::start() {
  if (sender_) sender_->start();
  if (std::exchange(started_, true))
    source_.skip_to(context_.now());
  else
    source_.start(context_.now());
  recover();
  on_arrival();
  arm_timers();
}

void Service::stop_arrivals() {
  if (!node_.up()) source_.skip_to(context_.now());
  source_.stop(context_.now());
}

bool Service::idle() {
  if (!node_.up()) return true;
  const auto is_free = [](const Job& job) { return job.stage == Stage::free; };
  return source_.exhausted() && branches_.empty() && queue_.empty() && timers_.empty() && !events_done_ &&
         std::all_of(jobs_.begin(), jobs_.end(), is_free);
}

void Service::crashed() {
  ++life_;
  const auto unanswered = [this](sim::Time created) {
    context_.emit(Kind::request, {.actor = node_.entity().value, .a = sim::nanoseconds(created)});
  };
  for (Job& job : jobs_) {
    if (job.request && job.stage != Stage::free && job.stage != Stage::looking && job.stage != Stage::waiting)
      unanswered(job.created);
    job = Job{};
  }
  for (; !queue_.empty(); queue_keys_.pop()) unanswered(queue_.pop());
  working_ = 0;
  events_.clear();
  events_done_ = nullptr;
  stepping_ = false;
  client_.abandon();
  if (view_client_) view_client_->abandon();
  if (queue_client_) queue_client_->abandon();
  if (sender_) sender_->crashed();
  arrival_timer_.disarm();
  due_timer_.disarm();
}

void Service::paused() {
  if (sender_) sender_->paused();
}

void Service::resumed() {
  if (sender_) sender_->resumed();
}

// ---- requests -----------------------------------------------------------------------------------------------------

void Service::on_arrival() {
  while (source_.next() <= context_.now()) {
    queue_.push(source_.next());
    queue_keys_.push(source_.key(0));
    source_.pop(1);
  }
  if (source_.next() != sim::kNever) arrival_timer_.arm_at(source_.next());
  begin_requests();
}

void Service::begin_requests() {
  const std::uint32_t life = life_;
  while (!queue_.empty() && working_ < plan_.options.threads && life_ == life) {
    if (node_.paused())
      return node_.run_or_hold([this, life] {
        if (life_ == life) begin_requests();
      });
    const std::uint32_t key = queue_keys_.pop();
    begin_request(queue_.pop(), key);
  }
}

void Service::begin_request(sim::Time created, std::uint32_t key) {
  const std::uint64_t number = requests_++ * plan_.options.instances + index_;
  const bool keyed = plan_.options.keys.count > 0;
  const std::size_t at = new_job();
  Job& job = jobs_[at];
  job.request = true;
  job.created = created;
  job.change.fact = make_fact(keyed ? key : static_cast<std::uint32_t>(number), plan_.begins);
  job.change.what = plan_.book[job.change.fact];
  ++working_;
  begin(at);
}

void Service::answer(std::size_t index, bool answered) {
  Job& job = jobs_[index];
  context_.emit(Kind::request,
                {.actor = node_.entity().value, .a = sim::nanoseconds(job.created), .b = answered ? 1 : 0});
  --working_;
  source_.release(context_.now(), 1);
  if (view_client_ && answered) {
    job.stage = Stage::waiting;
    sim::Stream draw = sim::Stream::keyed(think_draws_, job.change.fact.lane.value,
                                          static_cast<std::uint64_t>(job.change.fact.seq));
    later(index, plan_.options.own_read->after.sample_duration(draw), &Service::read_own);
  } else {
    job.stage = Stage::free;
  }
  on_arrival();
}

void Service::read_own(std::size_t index) {
  jobs_[index].stage = Stage::looking;
  const DatabaseCallRef call = view_client_->take(DatabaseCall::What::look);
  call->ticket = index;
  call->change.fact = jobs_[index].change.fact;
  view_client_->send(call);
}

// ---- events -------------------------------------------------------------------------------------------------------

void Service::react(std::span<const FactId> events, std::function<void()> done) {
  MQLAB_ASSERT(!events_done_, "a service takes one poll's events at a time");
  events_.assign(events.begin(), events.end());
  event_ = reaction_ = 0;
  events_done_ = std::move(done);
  next_event();
}

/// Goes on with the next reaction, or says that there is none. Called from inside itself, too: then the loop goes on.
void Service::next_event() {
  if (stepping_) return;
  stepping_ = true;
  const std::uint32_t life = life_;
  const auto busy = [this] {
    return std::any_of(jobs_.begin(), jobs_.end(),
                       [](const Job& job) { return job.of_event && job.stage != Stage::free; });
  };
  while (event_ < events_.size() && !busy()) {
    const FactId event = events_[event_];
    if (event.lane == LaneId{} || reaction_ == plan_.reactions.size()) {
      ++event_;
      reaction_ = 0;
      continue;
    }
    const std::size_t at = reaction_++;
    if (plan_.reactions[at].on == plan_.book[event].type)
      begin_reaction(event, at, true, plan_.reactions[at].after.has_value());
    if (life_ != life) return;
  }
  stepping_ = false;
  if (event_ < events_.size() || busy() || !events_done_) return;
  events_.clear();
  const std::function<void()> over = std::exchange(events_done_, nullptr);
  over();
}

void Service::begin_reaction(FactId cause, std::size_t reaction, bool of_event, bool put_off) {
  const ServicePlan::Reaction& plan = plan_.reactions[reaction];
  const Fact event = plan_.book[cause];
  sim::Stream draw = sim::Stream::keyed(outcome_draws_, event.aggregate, reaction);
  const bool fails = plan.fails > 0 && draw.uniform() < plan.fails;
  const std::optional<FactType>& type = fails ? plan.otherwise : plan.then;
  const std::size_t at = new_job();
  Job& job = jobs_[at];
  job.of_event = of_event;
  job.reaction = reaction;
  job.sets_timer = put_off;
  job.change.what.aggregate = event.aggregate;
  job.change.reaction = static_cast<std::uint32_t>(reaction) + (of_event ? 0 : kLater);
  job.change.by = plan_.entity;
  if (plan_.options.processed_ids) job.change.cause = cause;
  if (!put_off) {
    job.change.unless = plan.unless;
    job.change.needs = plan.needs;
    if (type)
      job.change.fact = make_fact(event.aggregate, *type);
    else if (!fails)
      job.change.viewed = cause;
    if (type) job.change.what = plan_.book[job.change.fact];
  } else {
    // The cause is noted in any case: by it the timer is known again.
    job.change.cause = cause;
  }
  begin(at);
}

void Service::fire_timers() {
  const std::uint32_t life = life_;
  while (!timers_.empty() && timers_.front().due <= context_.now()) {
    const Timer timer = timers_.front();
    timers_.erase(timers_.begin());
    begin_reaction(timer.cause, timer.reaction, false, false);
    if (life_ != life) return;
    if (node_.paused()) break;
  }
  arm_timers();
}

void Service::arm_timers() {
  if (!timers_.empty()) due_timer_.arm_at(std::max(timers_.front().due, context_.now()));
}

// ---- a job --------------------------------------------------------------------------------------------------------

std::size_t Service::new_job() {
  const auto at =
      std::find_if(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.stage == Stage::free; });
  if (at == jobs_.end()) {
    jobs_.emplace_back();
    return jobs_.size() - 1;
  }
  *at = Job{};
  return static_cast<std::size_t>(at - jobs_.begin());
}

FactId Service::make_fact(std::uint32_t aggregate, FactType type) {
  return plan_.book.made(lane_, {aggregate, type});
}

void Service::begin(std::size_t index) {
  Change& change = jobs_[index].change;
  change.by = plan_.entity;
  change.to_outbox = plan_.options.publish == Publishing::outbox;
  change.to_be_published = plan_.to_be_published();
  const bool says = change.fact.lane != LaneId{};
  if (says && plan_.options.publish == Publishing::before_commit) return send(index);
  if (says && plan_.options.publish == Publishing::two_phase) return prepare(index);
  commit(index);
}

void Service::send(std::size_t index) {
  jobs_[index].stage = Stage::sending;
  const FactId fact = jobs_[index].change.fact;
  sender_->send({&fact, 1});
}

void Service::sent(FactId fact, bool acknowledged) {
  const auto at = std::find_if(jobs_.begin(), jobs_.end(), [fact](const Job& job) {
    return job.stage == Stage::sending && job.change.fact == fact;
  });
  MQLAB_ASSERT(at != jobs_.end(), "an event that nobody has sent was acknowledged");
  const auto index = static_cast<std::size_t>(at - jobs_.begin());
  if (acknowledged) return behind(acknowledged_step_, [this, index] { this->acknowledged(index); });
  if (plan_.options.publish == Publishing::after_commit) return done(index);
  if (at->request) return answer(index, false);
  later(index, kRetry, &Service::send);
}

void Service::acknowledged(std::size_t index) {
  plan_.options.publish == Publishing::after_commit ? done(index) : commit(index);
}

void Service::commit(std::size_t index) {
  jobs_[index].stage = Stage::committing;
  const DatabaseCallRef call = client_.take(DatabaseCall::What::transact);
  call->ticket = index;
  call->change = jobs_[index].change;
  client_.send(call);
  sent_step_.advance(1);
}

void Service::answered(DatabaseCall& call) {
  const auto index = static_cast<std::size_t>(call.ticket);
  if (call.what == DatabaseCall::What::transact) return committed(index, call.outcome);
  if (call.what == DatabaseCall::What::prepare) return voted(index, call.outcome);
  if (call.what == DatabaseCall::What::decide) return decision_told(call);
  Job& job = jobs_[index];
  if (call.outcome != Outcome::lost) {
    context_.emit(Kind::viewed, {.actor = node_.entity().value,
                                 .place = plan_.view_entity.value,
                                 .peer = job.change.fact.lane.value,
                                 .a = job.change.fact.seq,
                                 .b = call.outcome == Outcome::committed ? 1 : 0});
  }
  job.stage = Stage::free;
}

void Service::committed(std::size_t index, Outcome outcome) {
  Job& job = jobs_[index];
  if (outcome == Outcome::lost) {
    job.asked_again = true;
    return later(index, kRetry, &Service::commit);
  }
  const bool there = outcome == Outcome::committed || (outcome == Outcome::repeated && job.asked_again);
  if (job.sets_timer) {
    // Known again, it may have been set or not: it fires once.
    sim::Stream draw = sim::Stream::keyed(delay_draws_, job.change.what.aggregate, job.reaction);
    const sim::Time due = context_.now() + plan_.reactions[job.reaction].after->sample_duration(draw);
    const auto at = std::upper_bound(timers_.begin(), timers_.end(), due,
                                     [](sim::Time t, const Timer& timer) { return t < timer.due; });
    timers_.insert(at, {due, job.change.cause, job.reaction});
    arm_timers();
  }
  if (!there) return done(index);
  behind(committed_step_, [this, index] { has_committed(index); });
}

void Service::has_committed(std::size_t index) {
  const bool says = jobs_[index].change.fact.lane != LaneId{};
  says&& plan_.options.publish == Publishing::after_commit ? send(index) : done(index);
}

void Service::later(std::size_t index, sim::Duration delay, void (Service::*next)(std::size_t)) {
  context_.simulation.schedule_after(delay, [this, index, next, life = life_] {
    if (life_ != life) return;
    if (!node_.paused()) return (this->*next)(index);
    node_.run_or_hold([this, index, next, life] {
      if (life_ == life) (this->*next)(index);
    });
  });
}

void Service::done(std::size_t index) {
  if (jobs_[index].request) return answer(index, true);
  const bool of_event = jobs_[index].of_event;
  jobs_[index].stage = Stage::free;
  if (of_event) next_event();
}

}  // namespace models
