"""Drawings of networks: boxes and arrows for the RNN, both directions, the LSTM and the GRU.

One module for each network. In come sizes and names, out goes one figure; no numbers are plotted here.
"""
