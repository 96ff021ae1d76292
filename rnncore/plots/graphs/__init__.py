"""Drawings of networks: boxes and arrows for the RNN, both directions, the LSTM, the GRU and the scan.

One module for each network. In come sizes and names, out goes one figure; no numbers are plotted here.
"""
