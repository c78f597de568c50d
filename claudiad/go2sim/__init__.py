"""A simulated Go2 that speaks the robot's own protocol over DDS, for programs written for the SDK.

services   what each of the robot's services answers; knows no DDS
sport      the sport service: the body behind it, and what its parameters must be
faults     faults on demand: their words, and which call they fall upon
desk       one request: log, faults, service, answer now or later; knows no DDS
journal    the JSON lines on standard output
publish    the body's report as the SDK's messages, on time
server     all of it on a DDS participant
control    what standard input says
view       a live picture of the dog in the terminal
cli        `claudiad-go2sim`
"""
