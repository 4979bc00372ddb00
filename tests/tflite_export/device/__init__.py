"""Tests of measuring on a device, with stand-ins for everything but this machine."""
