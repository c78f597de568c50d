"""The robot: what it can do, what it is allowed to do, and doing it one step at a time.

registry    the table of actions (data/actions.toml)
safety      actions + state + policy -> plan; pure
motion      a way to walk -> velocities, by odometry; pure
base        the Robot protocol and what a step can come to
simulator   the physics of a Go2: postures, durations, odometry, battery, call log
sim         engines `sim` and `none` behind the Robot protocol
latch       a stop that holds until it is released, across restarts
stop_lane   the stop's own thread
dispatcher  one motion at a time; every stop ends what came before it
interface   the network interface of a real robot, checked before it is used
photo       pictures: kept, and named for the voice
firmware    what a Go2's firmware would report of a body; pure
go2/        a real Go2 over DDS
"""
