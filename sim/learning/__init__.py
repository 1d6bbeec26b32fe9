"""Learning to drive: behaviour cloning and reinforcement learning of the networks on the simulator."""
