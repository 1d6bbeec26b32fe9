"""Reinforcement learning with actors and learners apart: each device drives or learns, at its own pace.

Actors are threads. Each drives its own scenes with `act` and puts a batch of sequences on the queue of its learner.
The learners are the devices of a mesh: each takes a batch, all make one update together with `learn`, the gradients
averaged, and publish the parameters. `iterate` is the same two functions in one program. Where the same cores have to
do both, neither way is faster; apart pays where devices would else wait for each other.

An actor takes parameters when a sequence begins and drives all of the sequence with them. So an episode begins with
the newest ones, and goes on with what is newest at each of its sequences: V-trace asks only how likely an action was
under the policy that took it, and that is kept with the action. Holding an episode to one version would make its last
batches four sequences old, and scenes whose episodes begin at different times would each need parameters of their own.

Which version an actor takes, `Places.behind` says. None: the newest there is, and staleness is whatever the paces
make of it. k: batch n of each actor is driven by version n - k exactly. Then no number depends on a clock: 0 is
`iterate`, with actors and learners taking turns; 1 lets them overlap, with every batch one version old.

Source: Espeholt et al. 2018 (actors, learners and a queue); Harmel et al. 2023, section 3.5.
"""

from sim.learning.apart.practising import practise
from sim.learning.apart.records import Course, Judgement, Places, Run, Update, begun, shared_out

__all__ = ["Course", "Judgement", "Places", "Run", "Update", "begun", "practise", "shared_out"]
