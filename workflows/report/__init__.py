"""The report: one HTML file with figures, tables, paths in 3D and the settings behind them."""
